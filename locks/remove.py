"""Takes PINs off a lock and does not rest until their absence was read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from locks import doors
from locks.alarms import alarm_once
from locks.errors import DoorError, Transient, WaitForDevice
from locks.holders import Place
from locks.issue import Check
from locks.models import Credential
from locks.proof import SETTLED, adopt, soon_after
from locks.provider import LockProvider, PinState
from locks.room import room_was_made
from locks.store import note, note_failure
from smartlock.audit.services import record

log = structlog.get_logger(__name__)
State = Credential.State
ALARM_AFTER = timedelta(minutes=15)


def revoke_pin(place: Place, *, check: Check, now: Callable[[], datetime]) -> int:
    """Remove every PIN of this holder from this lock that is not wanted or has ended. Returns how many are proven gone.

    Raises DoorError as long as one may still be on the lock. A PIN that is wanted and has not ended is left alone.
    """
    removed = 0
    for credential in _due(place, now()):
        provider = doors.provider_for(credential.lock.provider)
        try:
            _remove(credential, provider, check=check, now=now)
        except DoorError as error:
            note_failure(credential, error)
            _alarm(credential, error, now())
            raise
        removed += 1
    if removed:
        room_was_made(place.lock_id, now=now())
    return removed


def _due(place: Place, now: datetime) -> list[Credential]:
    rows = list(place.credentials().select_related("lock").filter(removed_at__isnull=True))
    due = [c for c in rows if c.ends_at <= now or not (c.wanted or c.bridges)]
    for credential in due:
        if credential.wanted:
            note(credential, wanted=False, unwanted_at=now)
    return due


def _remove(credential: Credential, provider: LockProvider, *, check: Check, now: Callable[[], datetime]) -> None:
    if not credential.provider_ref and not _was_sent(credential, provider, now()):
        _gone(credential, now())
        return
    device, ref = credential.lock.device, credential.provider_ref
    tried_at = credential.removal_tried_at
    state = PinState.ON_LOCK if tried_at is None else provider.read_pin(device, ref).state
    is_under_way = tried_at is not None and now() - tried_at < SETTLED
    if state not in (PinState.GONE, PinState.REMOVING) and not is_under_way:
        note(credential, state=State.REMOVING, removal_tried_at=now())
        check()
        provider.delete_pin(device, ref)
        state = provider.read_pin(device, ref).state
    if state == PinState.GONE:
        _gone(credential, now())
        return
    if state == PinState.UNKNOWN:
        raise Transient(f"{credential.lock.name} gave an answer that could not be read; it is asked again.")
    raise WaitForDevice(
        f"{credential.lock.name} has not confirmed the removal ({state.value}).{credential.lock.rouse_hint}",
        after=soon_after(credential.removal_tried_at, now()) if _is_overdue(credential, now()) else None,
    )


def _was_sent(credential: Credential, provider: LockProvider, now: datetime) -> bool:
    """Whether the lock may hold it although no answer came: looked up by its name, and never hastily denied."""
    if credential.asked_at is None:
        return False
    if adopt(credential, provider):
        return True
    if now - credential.asked_at < SETTLED:
        raise WaitForDevice(
            f"A PIN may still be on its way to {credential.lock.name}; it is looked for again.", after=5
        )
    # What is over, or was refused once, is not "valid", and may lie on the lock all the same.
    return adopt(credential, provider, expired=True)


def _gone(credential: Credential, now: datetime) -> None:
    """Its absence is proven: the sealed copy is erased, the fingerprint stays so that nobody gets it soon."""
    note(credential, state=State.ABSENT, proven_at=now, removed_at=now, pin_sealed=b"", last_error="", error_code="")
    record(
        "pin.removed", credential.subject, summary=credential.lock.name, credential=credential.pk,
        exposure_minutes=round(credential.exposure(now).total_seconds() / 60),
    )  # fmt: skip


def _alarm(credential: Credential, error: DoorError, now: datetime) -> None:
    """After a quarter of an hour a person is told, once; the tries go on. Digits that nobody has alarm nobody."""
    if credential.purpose == Credential.Purpose.BACKUP and not hasattr(credential, "fallback"):
        return
    if _is_overdue(credential, now):
        alarm_once(credential, "removal_overdue", str(error), now=now)


def _is_overdue(credential: Credential, now: datetime) -> bool:
    """Whether the quarter of an hour of quick tries is over, and the next one only comes in an hour."""
    return now - credential.closes_at >= ALARM_AFTER
