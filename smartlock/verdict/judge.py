"""Why a door did not open to a guest at one moment. Pure: evidence in, findings out, the surest first.

Nothing is guessed beyond the evidence: what would explain it but was not seen is ``possible``, and a PIN that was seen
to open the door is no failure, whoever complains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from locks.provider import Window

AROUND = timedelta(minutes=15)  # a guest remembers the time so well
LOCKED_AFTER = 5  # wrong tries in a row shut most keypads for some minutes
CLOCK = timedelta(minutes=20)  # so near the edge of its window a PIN fails on a lock whose clock is off


class Cause(StrEnum):
    OPENED = "opened"
    NO_RIGHT = "no_right"
    TOO_EARLY = "too_early"
    NOT_TAKEN_YET = "not_taken_yet"
    TOO_LATE = "too_late"
    NO_PIN = "no_pin"
    REVOKED = "revoked"
    NEVER_CONFIRMED = "never_confirmed"
    OTHER_TIMES = "other_times"
    KEYPAD_LOCKED = "keypad_locked"
    WRONG_DIGITS = "wrong_digits"
    LOCK_CLOCK = "lock_clock"
    BATTERY = "battery"
    OFFLINE = "offline"
    NOTHING_KNOWN = "nothing_known"


class Surety(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class DoorEvidence:
    """One door and this guest's PIN on it. ``held`` is what the lock was seen to hold, ``wish`` what it should."""

    name: str
    wish: Window | None = None  # None: no PIN was ever made for this door
    held: Window | None = None
    asked_at: datetime | None = None  # when the lock was last asked to take it
    proven_at: datetime | None = None
    unwanted_at: datetime | None = None
    removed_at: datetime | None = None
    sleeps: bool = False
    offline_since: datetime | None = None
    battery_flat: bool = False
    opened: tuple[datetime, ...] = ()  # by this PIN
    wrong: tuple[datetime, ...] = ()  # wrong PINs, whoever typed them
    log_until: datetime | None = None  # what came later is not known yet


@dataclass(frozen=True)
class Case:
    """The moment at which a guest stood at the door, and what was so then."""

    at: datetime
    stay: Window
    doors: tuple[DoorEvidence, ...]
    is_confirmed: bool = True
    withdrawn_at: datetime | None = None


@dataclass(frozen=True)
class Finding:
    """One explanation at one door; ``at`` and ``until`` are the moments its words name, ``count`` how many."""

    cause: Cause
    surety: Surety
    door: str = ""
    at: datetime | None = None
    until: datetime | None = None
    count: int = 0
    sleeps: bool = False


ORDER = {Surety.CERTAIN: 0, Surety.LIKELY: 1, Surety.POSSIBLE: 2}


def verdict(case: Case) -> list[Finding]:
    """What explains it, the surest first; never empty."""
    if (barred := _barred(case)) is not None:
        return [barred]
    if not case.doors:
        return [Finding(Cause.NO_PIN, Surety.CERTAIN)]
    found = [finding for door in case.doors for finding in _at_door(door, case)]
    return sorted(found, key=lambda one: ORDER[one.surety])


def _barred(case: Case) -> Finding | None:
    """No door had to open: the right had ended."""
    if case.withdrawn_at is not None and case.at >= case.withdrawn_at:
        return Finding(Cause.REVOKED, Surety.CERTAIN, at=case.withdrawn_at)
    return None if case.is_confirmed else Finding(Cause.NO_RIGHT, Surety.CERTAIN)


def _at_door(door: DoorEvidence, case: Case) -> Iterator[Finding]:
    opened = [at for at in door.opened if abs(at - case.at) <= AROUND]
    if opened:
        yield Finding(Cause.OPENED, Surety.CERTAIN, door.name, at=min(opened, key=lambda at: abs(at - case.at)))
        return
    certain = _certain(door, case)
    yield from (
        [certain]
        if certain is not None
        else [*_of_the_keypad(door, case), *_of_the_lock(door, case)]
        or [Finding(Cause.NOTHING_KNOWN, Surety.POSSIBLE, door.name, at=door.log_until)]
    )


def _certain(door: DoorEvidence, case: Case) -> Finding | None:
    """What shut the door for certain, as far as the records tell."""
    at, window, name = case.at, door.held or door.wish, door.name
    if door.wish is None or window is None:
        return _none_made(door, case)
    if at < case.stay.starts_at and at < window.starts_at:
        return _too_early(door, window, at)
    if at >= case.stay.ends_at and at >= window.ends_at:
        return Finding(Cause.TOO_LATE, Surety.CERTAIN, name, at=window.ends_at)
    if door.removed_at is not None and at >= door.removed_at:
        return Finding(Cause.REVOKED, Surety.CERTAIN, name, at=door.removed_at)
    if door.held is None or door.proven_at is None or door.proven_at > at:
        surety = Surety.LIKELY if door.proven_at is None or door.proven_at > at else Surety.POSSIBLE
        return Finding(Cause.NEVER_CONFIRMED, surety, name, at=door.proven_at, sleeps=door.sleeps)
    if not window.starts_at <= at < window.ends_at:
        return Finding(Cause.OTHER_TIMES, Surety.CERTAIN, name, at=window.starts_at, until=window.ends_at)
    if door.unwanted_at is not None and at >= door.unwanted_at:
        return Finding(Cause.REVOKED, Surety.LIKELY, name, at=door.unwanted_at)
    return None


def _none_made(door: DoorEvidence, case: Case) -> Finding:
    """Before check-in that is as it should be: the PIN is made shortly before."""
    if case.at < case.stay.starts_at:
        return Finding(Cause.NOT_TAKEN_YET, Surety.CERTAIN, door.name, at=case.stay.starts_at, sleeps=door.sleeps)
    return Finding(Cause.NO_PIN, Surety.CERTAIN, door.name)


def _too_early(door: DoorEvidence, window: Window, at: datetime) -> Finding:
    """That a PIN opens later is only said of one which the lock was seen to hold by then."""
    if door.held is not None and door.proven_at is not None and door.proven_at <= at:
        return Finding(Cause.TOO_EARLY, Surety.CERTAIN, door.name, at=window.starts_at)
    asked_at = door.asked_at if door.asked_at is not None and door.asked_at <= at else None
    return Finding(
        Cause.NOT_TAKEN_YET, Surety.CERTAIN, door.name, at=window.starts_at, until=asked_at, sleeps=door.sleeps
    )


def _of_the_keypad(door: DoorEvidence, case: Case) -> Iterator[Finding]:
    """What was typed: wrong PINs about that time may have been this guest's."""
    wrong = sorted(at for at in door.wrong if abs(at - case.at) <= AROUND)
    if len(wrong) >= LOCKED_AFTER:
        yield Finding(Cause.KEYPAD_LOCKED, Surety.LIKELY, door.name, at=wrong[-1], count=len(wrong))
    elif wrong:
        yield Finding(Cause.WRONG_DIGITS, Surety.LIKELY, door.name, at=wrong[-1], count=len(wrong))
    if wrong and _near_an_edge(case.at, door.held):
        yield Finding(Cause.LOCK_CLOCK, Surety.POSSIBLE, door.name, at=case.at)


def _near_an_edge(at: datetime, held: Window | None) -> bool:
    return held is not None and (at - held.starts_at <= CLOCK or held.ends_at - at <= CLOCK)


def _of_the_lock(door: DoorEvidence, case: Case) -> Iterator[Finding]:
    if door.battery_flat:
        yield Finding(Cause.BATTERY, Surety.LIKELY, door.name)
    if door.offline_since is not None and door.offline_since <= case.at:
        yield Finding(Cause.OFFLINE, Surety.POSSIBLE, door.name, at=door.offline_since)
