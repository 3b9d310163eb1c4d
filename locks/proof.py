"""Reads a PIN back. Asked for is not done: only what the lock says is a proof, and what it does not say is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from locks.errors import PinTaken, Refused, Transient, WaitForDevice
from locks.models import Credential
from locks.provider import LockProvider, PinReading, PinState, Window
from locks.store import note
from smartlock.audit.services import record

log = structlog.get_logger(__name__)
State = Credential.State
# A create whose answer never came may still be on its way; after this it is taken for not having happened.
SETTLED = timedelta(seconds=15)
# A lock that was written to is looked at once more after this, before the job's own patience goes on.
LOOK_AGAIN = timedelta(seconds=2)
FROZEN = "digits_frozen"  # the guest uses the first entry, on a lock that takes no twin: the second waits for its end
MINUTE = timedelta(seconds=61)  # locks may count in whole minutes
ON_ITS_WAY = timedelta(minutes=2)  # between "now" as it was sent and the moment in which it arrived
NOT_ASKED: dict[str, None] = {"asked_at": None, "asked_starts_at": None, "asked_ends_at": None}


class ChangeRefused(Refused):
    """The lock says that it did not take a change of a PIN which opens it at present, as far as is known."""

    code = "change_refused"


def prove(credential: Credential, provider: LockProvider, *, now: Callable[[], datetime]) -> None:
    """Read the PIN back. Returns when it is on the lock as asked; raises what to do when it is not."""
    reading = provider.read_pin(credential.lock.device, credential.provider_ref)
    door = credential.lock.name
    if reading.state == PinState.ON_LOCK and _as_asked(reading, credential):
        asked = credential.asked
        assert asked is not None  # a reference is only ever stored together with what was asked
        note(
            credential, state=State.ON_LOCK, proven_at=now(), lock_starts_at=asked.starts_at,
            lock_ends_at=asked.ends_at, last_error="", error_code="", alarmed_at=None,
        )  # fmt: skip
        record("pin.proven", credential.subject, summary=door, credential=credential.pk)
        return
    refused = reading.state == PinState.FAILED
    digits_taken = reading.digits_taken  # by a code that may not be ours
    if refused and (opens := _version_before(credential, now())) is not None:
        # Somebody may be in, or stand at the door: what opens for her is not taken away for what may not be taken.
        note(credential, state=State.UNKNOWN, asked_starts_at=opens.starts_at, asked_ends_at=opens.ends_at)
        raise ChangeRefused(f"{door} did not take the change of the PIN, and may still hold it as it was.")
    if refused:
        # An earlier version may still be there: it is forgotten only when the lock says that it is gone.
        provider.delete_pin(credential.lock.device, credential.provider_ref)
        note(credential, state=State.FAILED)
        reading = provider.read_pin(credential.lock.device, credential.provider_ref)
    if reading.state == PinState.GONE:
        note(credential, state=State.ABSENT, provider_ref="", **NOT_ASKED)
        if refused and (digits_taken or twin_of(credential) is not None):
            raise PinTaken(f"{door} does not hold the same digits twice.")
        raise Transient(f"{door} does not hold the PIN it was given: it is put back.", code="pin_vanished")
    if reading.state == PinState.UNKNOWN:
        note(credential, state=State.UNKNOWN)
    _admit_it_was_lost(credential, reading, now())
    raise WaitForDevice(
        f"{door} has not confirmed the PIN yet ({reading.detail or reading.state.value}).{credential.lock.rouse_hint}",
        after=soon_after(credential.asked_at, now()) or _until_lost_again(credential, reading, now()),
    )


def _version_before(credential: Credential, now: datetime) -> Window | None:
    """The window with which the lock was seen to hold it before it was asked for another one, if that opens now, to
    somebody who may be let in now: where check-in was put off, what would open too early had better go.
    """
    proven, wish = credential.proven, credential.wish
    if proven is None or proven == credential.asked:
        return None
    return proven if all(one.starts_at <= now < one.ends_at for one in (proven, wish)) else None


def _admit_it_was_lost(credential: Credential, reading: PinReading, now: datetime) -> None:
    """A lock that still holds other times after minutes was never given ours, whatever was answered: what it holds is
    what it was last asked for, and the plan writes the change again, within the brake.
    """
    sent_at, found = credential.asked_at, reading.window
    if reading.state == PinState.ON_LOCK and found is not None and sent_at is not None and now - sent_at >= ON_ITS_WAY:
        note(credential, asked_starts_at=found.starts_at, asked_ends_at=found.ends_at)
        raise Transient(f"{credential.lock.name} still has other times: they are written again.", code="change_lost")


def _until_lost_again(credential: Credential, reading: PinReading, now: datetime) -> float | None:
    """A lock that was written to twice within the hour and still has other times is likely to lose this change, too:
    it is not asked every few seconds until that is certain. In seconds; None: as the job's policy says.
    """
    if reading.state != PinState.ON_LOCK or credential.asked_at is None or credential.writes < 2:
        return None
    return max(0.0, (credential.asked_at + ON_ITS_WAY - now).total_seconds()) or None


def twin_of(credential: Credential) -> Credential | None:
    """The entry with the same digits that the lock may hold beside this one, of the same guest.

    Behind a gateway a lock says only afterwards that it takes no equal digits, and not in so many words.
    """
    others = Credential.objects.filter(lock=credential.lock_id, removed_at__isnull=True).exclude(pk=credential.pk)
    return others.filter(pin_fingerprint=credential.pin_fingerprint).exclude(provider_ref="").first()


def soon_after(written_at: datetime | None, now: datetime) -> float | None:
    """In how many seconds to look again at a lock that was written to in this moment; None: as the job's policy says.

    A door that comes back after hours confirms within seconds: that look must not wait for the next hour's try.
    """
    just_now = written_at is not None and now - written_at < LOOK_AGAIN
    return LOOK_AGAIN.total_seconds() if just_now else None


def adopt(credential: Credential, provider: LockProvider, *, expired: bool = False) -> bool:
    """Find our PIN on the lock by its unique name, after a crash or a lost answer. True when it is there.

    ``expired``: look in the longer list, which has those too that the provider no longer calls valid.
    """
    for reading in provider.list_pins(credential.lock.device, expired=expired):
        if reading.name == credential.name and reading.state != PinState.GONE:
            note(credential, provider_ref=reading.ref)
            log.info("pin.adopted", credential=credential.pk, lock=credential.lock_id)
            return True
    return False


def _as_asked(reading: PinReading, credential: Credential) -> bool:
    """Whether the lock reports the window we asked for, as far as it tells one. A start that had passed when it was
    sent is the provider's "now", by whatever clock it has.
    """
    asked, sent_at = credential.asked, credential.asked_at
    if reading.window is None or asked is None:
        return True
    apart = times_apart(asked, sent_at, reading.window)
    has_begun = sent_at is None or asked.starts_at <= sent_at
    return not apart or (has_begun and apart == ["starts_at"])


def times_apart(asked: Window, asked_at: datetime | None, found: Window) -> list[str]:
    """Which times of a PIN on a lock are not those it was sent at ``asked_at``: ``starts_at``, ``ends_at``.

    A start that had passed by then became the moment in which it arrived.
    """
    latest = max(asked.starts_at, (asked_at or found.starts_at) + ON_ITS_WAY)
    too_late, too_soon = found.starts_at - latest > MINUTE, asked.starts_at - found.starts_at > MINUTE
    return ["starts_at"] * (too_late or too_soon) + ["ends_at"] * (abs(found.ends_at - asked.ends_at) > MINUTE)
