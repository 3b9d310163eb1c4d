"""Whether a lock goes by a wrong clock. Nobody tells: it is concluded from what it did. Pure; ``now`` is passed in.

| sign    | what the lock did                                                            | its clock         |
|---------|------------------------------------------------------------------------------|-------------------|
| early   | opened to a PIN of ours before the time that it was proven to hold           | ahead             |
| late    | opened to one after that time, by more than its log may be late              | behind            |
| future  | stamped an opening by one later than now                                     | ahead             |
| refused | reported wrong PINs where one had begun, proven, that has never opened it    | perhaps behind    |

How far it is off is at least what was seen. A stamp may be later than the deed (a log that was handed in late) but
never earlier, so an early opening says more than a late one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from locks.provider import Window

ALLOWANCE = timedelta(minutes=10)  # clocks that count in minutes, drift a little, and the way to the cloud
TRIES, TOGETHER = 3, timedelta(minutes=15)  # so many wrong PINs within this are a guest who cannot get in
SETTLED = timedelta(minutes=10)  # since the last of them, in which the right PIN would have come
ARRIVAL = timedelta(
    hours=12
)  # after the beginning of a PIN its first tries are its guest's, and no clock is off by more


class Sign(StrEnum):
    EARLY = "early"
    LATE = "late"
    FUTURE = "future"
    REFUSED = "refused"


@dataclass(frozen=True)
class Held:
    """A PIN as the lock was seen to hold it. ``used_at``: its first opening."""

    window: Window
    proven_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True)
class Deed:
    """The door opened at ``at``, by its log, to a PIN that the lock named; we heard of it at ``known_at``."""

    at: datetime
    known_at: datetime
    pin: Held


@dataclass(frozen=True)
class Finding:
    """``off``: how far the clock is off at least, ahead above zero; of a refusal only if the clock is to blame."""

    sign: Sign
    at: datetime
    off: timedelta

    @property
    def is_certain(self) -> bool:
        return self.sign is not Sign.REFUSED


def sign_of(deed: Deed, log_delay: timedelta) -> Finding | None:
    """What an opening says of the clock, if anything. ``log_delay``: how late this lock may hand in its log."""
    if deed.at - deed.known_at > ALLOWANCE:
        return Finding(Sign.FUTURE, deed.at, deed.at - deed.known_at)
    window = deed.pin.window
    if deed.at < deed.pin.proven_at:  # it may have held other times then
        return None
    if window.starts_at - deed.at > ALLOWANCE:
        return Finding(Sign.EARLY, deed.at, window.starts_at - deed.at)
    if deed.at - window.ends_at > ALLOWANCE + log_delay:
        return Finding(Sign.LATE, deed.at, window.ends_at - deed.at)
    return None


def refusals(
    wrong: Sequence[datetime], entered: Sequence[datetime], pins: Iterable[Held], log_until: datetime
) -> Finding | None:
    """Wrong PINs (sorted) that were a guest's tries of a right one, as it seems: she has not come in since.

    ``entered``: when the door opened to PINs of ours; that is known up to ``log_until``.
    """
    waiting = [pin for pin in pins if pin.used_at is None]
    for last in reversed([at for at in wrong if at <= log_until - SETTLED]):
        tries = [at for at in wrong if last - TOGETHER <= at <= last]
        if len(tries) < TRIES or any(tries[0] <= at <= last + SETTLED for at in entered):
            continue
        for pin in waiting:
            begun = max(pin.window.starts_at, pin.proven_at)
            if begun <= tries[0] and last < min(pin.window.ends_at, pin.window.starts_at + ARRIVAL):
                return Finding(Sign.REFUSED, last, pin.window.starts_at - last)
    return None


def farthest(known: timedelta | None, found: timedelta) -> timedelta:
    """What two signs say together: the larger of two errors of the same kind, else the newer one."""
    is_the_same = known is not None and (known > timedelta(0)) is (found > timedelta(0))
    return known if known is not None and is_the_same and abs(known) > abs(found) else found


def is_refuted(deed: Deed, off: timedelta | None, since: datetime) -> bool:
    """Whether this opening, inside its window, is none that a clock so far off would have allowed.

    ``off`` None: nothing but refusals spoke for it, and the door has opened since.
    """
    window = deed.pin.window
    if deed.at <= since or not window.starts_at <= deed.at < window.ends_at or deed.at - deed.known_at > ALLOWANCE:
        return False
    return off is None or not window.starts_at <= deed.at + off < window.ends_at
