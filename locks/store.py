"""Writes what was learnt about a credential, field by field, so that a slow worker never overwrites a newer wish."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from django.utils import timezone

from locks.errors import DoorError
from locks.models import Credential
from locks.signals import credential_changed

_touched: ContextVar[dict[int, Credential] | None] = ContextVar("touched", default=None)


@contextmanager
def at_work() -> Iterator[None]:
    """While a job is at work at a door, the rooms above need not look at every step.

    The end of the job makes them look; when it fails or is put back, they are told here. A worker that is killed in
    between runs its job again.
    """
    touched: dict[int, Credential] = {}
    told: dict[int, Credential] = {}
    token = _touched.set(touched)
    try:
        yield
    except Exception:
        told = touched
        raise
    finally:
        _touched.reset(token)
        for credential in told.values():
            credential_changed.send(Credential, credential=credential, settled=True)


def note(credential: Credential, **facts: Any) -> None:
    """Record facts about the door. Facts are kept even when the job was called off meanwhile: they happened."""
    changed = any(getattr(credential, name) != value for name, value in facts.items())
    touched = _touched.get()
    if touched is not None:
        _write(credential, facts)
        touched[credential.pk] = credential
        if changed:
            credential_changed.send(Credential, credential=credential, settled=False)
        return
    with transaction.atomic():
        _write(credential, facts)
        if changed:
            credential_changed.send(Credential, credential=credential, settled=True)


def _write(credential: Credential, facts: dict[str, Any]) -> None:
    Credential.objects.filter(pk=credential.pk).update(**facts, updated_at=timezone.now())
    for name, value in facts.items():
        setattr(credential, name, value)


def note_new(credential: Credential, **facts: Any) -> None:
    """The same, where often nothing is new: then nothing is written."""
    if any(getattr(credential, name) != value for name, value in facts.items()):
        note(credential, **facts)


def never_asked(credential: Credential) -> None:
    """The lock certainly did not get it. Only as long as the row still says what this worker wrote: another may have
    taken over while this one was frozen.
    """
    asked = {"asked_at": None, "asked_starts_at": None, "asked_ends_at": None}
    mine = Credential.objects.filter(pk=credential.pk, asked_at=credential.asked_at, provider_ref="")
    if mine.update(state=Credential.State.ABSENT, **asked, updated_at=timezone.now()):
        for name, value in asked.items():
            setattr(credential, name, value)


def note_failure(credential: Credential, error: DoorError) -> None:
    """Keep the sentence for the operator; the state is only what was observed."""
    Credential.objects.filter(pk=credential.pk).update(
        last_error=str(error), error_code=error.code, updated_at=timezone.now()
    )
