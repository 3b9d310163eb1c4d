"""Calls a person to a door, once per credential; the tries go on meanwhile."""

from __future__ import annotations

from datetime import datetime

from locks.models import Credential
from locks.signals import door_needs_help
from locks.store import note
from smartlock.audit.services import record


def alarm_once(
    credential: Credential, code: str, text: str, *, now: datetime, until: datetime | None = None
) -> None:  # fmt: skip
    """``code`` is stable for machines, ``text`` a sentence for the record; ``until`` the moment it names, if any."""
    if credential.alarmed_at is not None:
        return
    note(credential, alarmed_at=now)
    call(credential, code, text, until=until)


def call(credential: Credential, code: str, text: str, *, until: datetime | None = None) -> None:
    """Whether or not a person was called to it before: for what is another matter than a silent door."""
    record(f"door.{code}", credential.subject, summary=text, credential=credential.pk)
    door_needs_help.send(Credential, credential=credential, code=code, text=text, until=until)
