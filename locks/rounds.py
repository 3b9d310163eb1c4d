"""How often each lock is read, and what that costs. Pure: facts in, readings out.

Every call counts against the provider's monthly quota, so a lock is asked as often as somebody needs the answer: often
while a guest is in house, less by night, seldom while the unit stands empty. When a month's calls run short, all
intervals are stretched, and before the plan ends reading stops: PINs come first.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(days=1)
MONTH = 30 * DAY
NIGHT_HOURS = 6  # from midnight to 06:00 by the property's clock
LONGEST_STRETCH = 24.0
RESERVED = 0.1  # of the quota, for PINs: reading stops when only this is left
CALLS_OF_A_STAY = 7  # ticket, create, proof, and the same for removal, with some patience


class Reading(StrEnum):
    """What a lock can be asked, one call each (a long log takes more)."""

    LOG = "log"
    ALARMS = "alarms"
    STATE = "state"
    RECONCILE = "reconcile"


@dataclass(frozen=True)
class Pace:
    """The intervals. From the settings."""

    log: timedelta = 30 * MINUTE  # a guest is in house, by day
    log_by_night: timedelta = HOUR
    log_empty: timedelta = 6 * HOUR
    alarms: timedelta = 2 * HOUR
    alarms_empty: timedelta = 6 * HOUR
    state: timedelta = 6 * HOUR
    reconcile: timedelta = DAY


@dataclass(frozen=True)
class Door:
    """One lock: who is behind it, and when each thing was last read."""

    lock_id: int
    is_occupied: bool
    is_night: bool
    arrival_at: datetime | None
    read_at: dict[Reading, datetime | None]


@dataclass(frozen=True)
class Due:
    lock_id: int
    reading: Reading
    overdue: float  # in intervals: 1 is just due
    is_urgent: bool


def due(doors: list[Door], pace: Pace, now: datetime, *, stretch: float = 1.0) -> list[Due]:
    """All readings that are due, the most urgent first: arrivals and guests in house before empty units."""
    found = [one for door in doors for one in _due(door, pace, now, stretch)]
    return sorted(found, key=lambda one: (not one.is_urgent, -one.overdue, one.lock_id))


def _due(door: Door, pace: Pace, now: datetime, stretch: float) -> Iterator[Due]:
    arrives_soon = door.arrival_at is not None and door.arrival_at - now <= DAY
    for reading, every in intervals(pace, is_occupied=door.is_occupied, is_night=door.is_night).items():
        read_at = door.read_at.get(reading)
        overdue = (now - read_at) / (every * stretch) if read_at else LONGEST_STRETCH
        if overdue >= 1:
            urgent = arrives_soon if reading == Reading.RECONCILE else door.is_occupied and reading == Reading.LOG
            yield Due(door.lock_id, reading, overdue, urgent)


def intervals(pace: Pace, *, is_occupied: bool, is_night: bool) -> dict[Reading, timedelta]:
    log = (pace.log_by_night if is_night else pace.log) if is_occupied else pace.log_empty
    alarms = pace.alarms if is_occupied else pace.alarms_empty
    return {
        Reading.LOG: log, Reading.ALARMS: alarms, Reading.STATE: pace.state, Reading.RECONCILE: pace.reconcile,
    }  # fmt: skip


def portion(locks: int, every: timedelta, round_: timedelta) -> int:
    """How many locks a round reads at the most, so that a day's work is spread over the day; twice what is needed."""
    return max(1, -(-2 * locks * int(round_.total_seconds()) // max(1, int(every.total_seconds()))))


def stretch(spent: int, quota: int | None, now: datetime) -> float | None:
    """By how much to read less often, so that the month's calls last the month. None: stop reading, PINs come first."""
    if not quota:
        return 1.0
    used = spent / quota
    if used >= 1 - RESERVED:
        return None
    days = calendar.monthrange(now.year, now.month)[1]
    begin = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    elapsed = max((now - begin) / DAY, 1.0) / days
    return min(max(used / elapsed, 1.0), LONGEST_STRETCH)


@dataclass(frozen=True)
class Bill:
    """Calls a month, by what they are for."""

    log: int
    alarms: int
    state: int
    reconcile: int
    stays: int

    @property
    def total(self) -> int:
        return self.log + self.alarms + self.state + self.reconcile + self.stays


def monthly_calls(units: int, pace: Pace, *, occupancy: float = 0.7, nights: float = 3.0) -> Bill:
    """What ``units`` with a lock each cost in a month of 30 days. ``nights`` is how long a stay is on average."""
    occupied, empty = units * occupancy, units * (1 - occupancy)
    by_day, by_night = (24 - NIGHT_HOURS) * HOUR * 30, NIGHT_HOURS * HOUR * 30
    return Bill(
        log=round(occupied * (by_day / pace.log + by_night / pace.log_by_night) + empty * (MONTH / pace.log_empty)),
        alarms=round(occupied * (MONTH / pace.alarms) + empty * (MONTH / pace.alarms_empty)),
        state=round(units * (MONTH / pace.state)),
        reconcile=round(units * (MONTH / pace.reconcile)),
        stays=round(units * occupancy * 30 / nights * CALLS_OF_A_STAY),
    )
