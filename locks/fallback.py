"""When a guest needs another way in, and which. Pure: facts in, a decision out; ``now`` is passed in.

| the guest's codes at this door          | until T−30 min | from T−30 min        | from T on                      |
|-----------------------------------------|----------------|----------------------|--------------------------------|
| one that the door was seen to hold      | nothing        | nothing              | nothing                        |
| none, and a replacement stands ready    | nothing        | warn: wake the lock  | hand out the replacement       |
| none, and nothing to replace it by      | nothing        | call: nobody gets in | call, and look again and again |

T is the moment from which no proven code of the guest's would open the door: check-in as a rule, or the end of the old
window when a longer stay has not reached the lock. A lock that was given a PIN a moment ago is left time to answer.

What is handed out: an offline code where the lock is known to take them, else a proven backup PIN, else an offline
code that nobody has tried on this lock. An offline code covers whole hours only and cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from locks.provider import Window

BREATH = timedelta(minutes=3)  # what a lock may take to answer before anybody is bothered
COARSE = timedelta(seconds=61)  # locks count in seconds or in minutes
HOUR = timedelta(hours=1)
# A backup lies on its lock for half a year, and gets a new half-year when two months are left.
VALID = timedelta(days=180)
RENEW = timedelta(days=60)
# A stay that begins this soon has its place on the lock kept free.
NEAR = timedelta(days=2)


class Step(StrEnum):
    """What is to be done at a door."""

    NOTHING = "nothing"
    LATER = "later"  # look again at ``at``
    WARN = "warn"  # tell an operator to wake the lock; a replacement stands ready
    CALL = "call"  # tell an operator that there is no replacement
    OFFLINE = "offline"  # hand out an offline code
    BACKUP = "backup"  # hand out the backup PIN ``backup``


class Offline(StrEnum):
    """Whether a lock takes offline codes."""

    YES = "yes"
    UNTRIED = "untried"  # its brand has them; whether this model takes them nobody knows
    NO = "no"


@dataclass(frozen=True)
class Backup:
    """A PIN on this lock that nobody has, proven to be there for ``window``."""

    credential_id: int
    window: Window


@dataclass(frozen=True)
class DoorFacts:
    """A guest before a door. ``ways`` are the windows of the codes that the guest has and the door was seen to hold.

    ``last_change``: when the lock, or the wish, last was given something new. ``warned_for``: T of the last warning.
    """

    stay: Window
    ways: tuple[Window, ...] = ()
    last_change: datetime | None = None
    warned_for: datetime | None = None
    offline: Offline = Offline.NO
    backups: tuple[Backup, ...] = ()


@dataclass(frozen=True)
class Decision:
    """``at``: when to look again for LATER, else the T that it is about."""

    step: Step
    at: datetime | None = None
    backup: Backup | None = None


def shut_from(stay: Window, ways: Iterable[Window]) -> datetime | None:
    """The first moment of the stay at which no code of the guest's would open; None when there is none."""
    reached = stay.starts_at
    for way in sorted(ways, key=lambda way: way.starts_at):
        if way.starts_at - reached >= COARSE:
            break
        reached = max(reached, way.ends_at)
    return None if stay.ends_at - reached < COARSE else reached


def decide(door: DoorFacts, now: datetime, *, warn_before: timedelta) -> Decision:
    """What to do at this door now: the table above."""
    shut = shut_from(door.stay, door.ways)
    if shut is None or now >= door.stay.ends_at:
        return Decision(Step.NOTHING)
    answer_by = door.last_change + BREATH if door.last_change is not None else now
    look_at = max(shut - warn_before, min(answer_by, shut) if now < shut else answer_by)
    if now < look_at:
        return Decision(Step.LATER, look_at)
    if now >= shut:
        return hand_out(door, shut, now)
    if door.warned_for == shut:
        return Decision(Step.LATER, shut)
    ready = usable(door.backups, shut) or (door.offline is Offline.YES and has_full_hour(shut, door.stay.ends_at))
    return Decision(Step.WARN if ready else Step.CALL, shut)


def hand_out(door: DoorFacts, shut: datetime, now: datetime) -> Decision:
    """The best replacement there is at this moment."""
    offline = door.offline if has_full_hour(now, door.stay.ends_at) else Offline.NO
    backups = usable(door.backups, now)
    if offline is Offline.YES:
        return Decision(Step.OFFLINE, shut)
    if backups:
        return Decision(Step.BACKUP, shut, backups[0])
    return Decision(Step.OFFLINE if offline is Offline.UNTRIED else Step.CALL, shut)


def usable(backups: Sequence[Backup], moment: datetime) -> list[Backup]:
    """Those that open then, the one that lasts longest first."""
    open_then = [one for one in backups if one.window.starts_at <= moment < one.window.ends_at]
    return sorted(open_then, key=lambda one: (one.window.ends_at, -one.credential_id), reverse=True)


def has_full_hour(start: datetime, end: datetime) -> bool:
    """Whether an offline code can cover any of it: both its ends fall on the full hour, and neither outside."""
    return floor(end) - floor(start) >= HOUR


def floor(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def next_look(
    stay: Window, ways: Iterable[Window], warned_for: datetime | None, *, warn_before: timedelta
) -> datetime | None:
    """When the job that looks at this door is due: once before T to warn, once at T. None when nothing is amiss."""
    shut = shut_from(stay, ways)
    if shut is None:
        return None
    return shut if warned_for == shut else shut - warn_before


def pool_size(wanted: int, *, capacity: int, taken: int, near: int) -> int:
    """How many backups a lock keeps: as many as are wanted, but guests in house and near stays come first.

    ``taken``: places held by anything but idle backups; ``near``: stays that need a place soon and have none yet.
    """
    return max(0, min(wanted, capacity - taken - near))


def pool_window(now: datetime, current: Window | None) -> Window:
    """How long a backup that nobody has is to be valid. Whole days, so that looking twice a day changes nothing."""
    if current is not None and current.ends_at - now > RENEW:
        return current
    today = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    return Window(current.starts_at if current is not None else today, today + VALID)
