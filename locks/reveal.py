"""Shows one live PIN to a person who is allowed to see it: the one way digits come to a screen, and always recorded."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from locks import sealing
from locks.models import Credential
from smartlock.audit.services import record

NEAR = timedelta(hours=24)


class NotShown(Exception):
    """Why the digits are not shown, in a sentence for the person who asked."""


def may_be_shown(credential: Credential, now: datetime) -> bool:
    """Live or soon to be, wanted, and still known: a look back, or far ahead, serves no guest at a door.

    A backup that nobody was given stays nobody's: once a person has seen it, it would be a PIN outside any window.
    """
    if credential.purpose == Credential.Purpose.BACKUP and not hasattr(credential, "fallback"):
        return False
    near = credential.starts_at - NEAR <= now < credential.ends_at
    return near and credential.wanted and bool(credential.pin_sealed)


@transaction.atomic
def reveal(credential_id: int, *, reason: str, now: datetime, actor: str) -> str:
    """The digits, once. Who asked and why goes to the audit trail, the digits do not.

    Raises NotShown when there is no reason, or the PIN is not live; Credential.DoesNotExist.
    """
    credential = Credential.objects.get(pk=credential_id)
    if len(reason.strip()) < 3:
        raise NotShown(_("Say why: the audit trail keeps it."))
    if not may_be_shown(credential, now):
        raise NotShown(_("This PIN is not live, or its digits were erased: there is nothing to show."))
    record("pin.revealed", credential.subject, actor=actor, summary=reason.strip()[:200], credential=credential.pk)
    return sealing.unseal(credential.pin_sealed)
