"""When a weak battery or a silent lock is worth a person's attention. Pure: facts in, concerns out.

A lock is best mended while its unit stands empty, so a person is called in time for a turnover: the gap between a
check-out and the next check-in. A battery goes at the next one (the cleaner is there anyway), at once if it will not
last until then. Silence matters only to a guest who has yet to come and whose way in is not on the lock: it is told
before that guest's arrival, and not at all while a working backup PIN, good for three days more, stands in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from locks.provider import Radio, Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FOREVER = timedelta(days=365)


@dataclass(frozen=True)
class Policy:
    """What counts as low and as silent, and how far ahead a person is called. From the settings."""

    low_percent: int = 20
    flat_percent: int = 5
    percent_a_day: float = 1.0  # assumed until the lock's own readings tell
    silent_after: dict[Radio, timedelta] = field(
        default_factory=lambda: {"wifi": 7 * DAY, "zigbee": 12 * HOUR, "ble": 12 * HOUR}
    )
    ahead: timedelta = DAY  # of the turnover at which it can be mended
    before_arrival: timedelta = 3 * DAY  # silence is no news earlier than this
    shortest_gap: timedelta = HOUR


@dataclass(frozen=True)
class Expected:
    """A stay at this lock, in house or to come. ``is_ready``: its PIN is proven on the lock."""

    window: Window
    is_ready: bool


@dataclass(frozen=True)
class LockFacts:
    """One lock. ``batteries`` oldest first; ``heard_at`` None when it never gave a sign of life."""

    radio: Radio
    heard_at: datetime | None = None
    batteries: tuple[tuple[datetime, int], ...] = ()
    stays: tuple[Expected, ...] = ()
    backup_until: datetime | None = None


class Trouble(StrEnum):
    """The words are those of ``LockIncident.Kind``."""

    BATTERY = "battery_low"
    SILENT = "silent"


@dataclass(frozen=True)
class Concern:
    """A trouble there is. ``tell_at`` None: not worth a person's attention as things stand; it is shown all the same.

    ``turnover`` is when it is best mended; ``need_at`` when it begins to hurt.
    """

    trouble: Trouble
    since: datetime
    tell_at: datetime | None
    turnover: Window | None = None
    need_at: datetime | None = None


def concerns(lock: LockFacts, policy: Policy, now: datetime) -> list[Concern]:
    """What is wrong at ``now``, each with the moment from which a person should know."""
    return [one for one in (_battery(lock, policy, now), _silence(lock, policy, now)) if one is not None]


def gaps(lock: LockFacts, now: datetime, *, at_least: timedelta = HOUR) -> list[Window]:
    """When nobody stays behind this lock, from now on, in order; the last gap has no end in sight (a year)."""
    free, start = [], now
    for stay in sorted((stay.window for stay in lock.stays), key=lambda window: window.starts_at):
        if stay.starts_at - start >= at_least:
            free.append(Window(start, stay.starts_at))
        start = max(start, stay.ends_at)
    return [*free, Window(start, start + FOREVER)]


def flat_at(batteries: tuple[tuple[datetime, int], ...], policy: Policy) -> datetime | None:
    """When the battery will be flat if it goes on like this; None when no level is known."""
    if not batteries:
        return None
    at, percent = batteries[-1]
    days_left = max(0.0, percent - policy.flat_percent) / _percent_a_day(batteries, policy)
    return at + min(timedelta(days=days_left), FOREVER)


def _percent_a_day(batteries: tuple[tuple[datetime, int], ...], policy: Policy) -> float:
    """Its own pace since the batteries were last changed, if that can be told; else the assumed one."""
    fresh = 0
    for number, ((_, before), (_, after)) in enumerate(pairwise(batteries), start=1):
        fresh = number if after > before + 5 else fresh
    (since, first), (until, last) = batteries[fresh], batteries[-1]
    if until - since < 3 * DAY or first - last < 2:
        return policy.percent_a_day
    return (first - last) / ((until - since) / DAY)


def _battery(lock: LockFacts, policy: Policy, now: datetime) -> Concern | None:
    flat = flat_at(lock.batteries, policy)
    if flat is None or lock.batteries[-1][1] > policy.low_percent:
        return None
    since = _low_since(lock, policy)
    turnover = gaps(lock, now, at_least=policy.shortest_gap)[0]
    if turnover.starts_at >= flat:  # it does not last until the unit is empty
        return Concern(Trouble.BATTERY, since, now, None, flat)
    return Concern(Trouble.BATTERY, since, turnover.starts_at - policy.ahead, turnover, flat)


def _low_since(lock: LockFacts, policy: Policy) -> datetime:
    since = lock.batteries[-1][0]
    for at, percent in reversed(lock.batteries):
        if percent > policy.low_percent:
            break
        since = at
    return since


def _silence(lock: LockFacts, policy: Policy, now: datetime) -> Concern | None:
    if lock.heard_at is None or now - lock.heard_at < policy.silent_after[lock.radio]:
        return None
    need_at = _first_in_need(lock, now)
    if need_at is None:
        return Concern(Trouble.SILENT, lock.heard_at, None)
    before = [gap for gap in gaps(lock, now, at_least=policy.shortest_gap) if gap.starts_at < need_at]
    if not before:  # the guests follow one another without a break
        return Concern(Trouble.SILENT, lock.heard_at, need_at - policy.before_arrival, None, need_at)
    tell_at = min(need_at - policy.before_arrival, before[-1].starts_at - policy.ahead)
    return Concern(Trouble.SILENT, lock.heard_at, tell_at, before[-1], need_at)


def _first_in_need(lock: LockFacts, now: datetime) -> datetime | None:
    """The first arrival that depends on the lock waking up: no PIN on it yet, and no backup that would do."""
    coming = sorted(
        stay.window.starts_at for stay in lock.stays if not stay.is_ready and stay.window.ends_at > now
    )  # fmt: skip
    has_backup = lock.backup_until is not None and lock.backup_until >= now + 3 * DAY
    needing = [at for at in coming if not (has_backup and lock.backup_until and at < lock.backup_until)]
    return max(needing[0], now) if needing else None
