"""Where a stay's bar lies on the board. Pure: dates and times in, places out.

A row is a unit and lives by its own wall clock: a day is as wide as any other, even where the clock is changed, and
noon is in its middle. So the rows of two time zones can stand under one line of dates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Span:
    """The days that are shown."""

    first: date
    days: int

    @property
    def end(self) -> date:
        """The day after the last one."""
        return self.first + timedelta(days=self.days)

    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    def place(self, at: datetime, zone: ZoneInfo) -> float:
        """How far from the left edge, in percent of the board; below 0 or above 100 when it is not on it."""
        local = at.astimezone(zone)
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        return ((local.date() - self.first).days + seconds / DAY_SECONDS) * 100 / self.days


@dataclass(frozen=True)
class Stay:
    """What the board knows of a stay. ``claims`` says that it entitles to the unit: two at a time are one too many."""

    starts_at: datetime
    ends_at: datetime
    claims: bool
    about: Any = None


@dataclass
class Bar:
    """A stay in its row; ``left`` and ``width`` in percent of the board, cut off at its edges."""

    stay: Stay
    left: float
    width: float
    lane: int
    is_double: bool = False
    comes_in: bool = False
    goes_on: bool = False


@dataclass
class Row:
    bars: list[Bar] = field(default_factory=list)

    @property
    def lanes(self) -> int:
        return 1 + max((bar.lane for bar in self.bars), default=0)

    @property
    def is_double(self) -> bool:
        return any(bar.is_double for bar in self.bars)


def lay_out(stays: Iterable[Stay], span: Span, zone: ZoneInfo) -> Row:
    """The bars of one unit, each in the uppermost lane that is free at its time."""
    row, free_from = Row(), list[datetime]()
    ordered = sorted(stays, key=lambda stay: (stay.starts_at, stay.ends_at))
    for stay in ordered:
        lane = next((number for number, free in enumerate(free_from) if free <= stay.starts_at), len(free_from))
        free_from[lane : lane + 1] = [stay.ends_at]
        start, end = span.place(stay.starts_at, zone), span.place(stay.ends_at, zone)
        left, right = max(0.0, start), min(100.0, end)
        if right > left:
            is_double = stay.claims and _has_rival(stay, ordered)
            row.bars.append(Bar(stay, left, right - left, lane, is_double, comes_in=start < 0, goes_on=end > 100))
    return row


def _has_rival(stay: Stay, others: Sequence[Stay]) -> bool:
    return any(
        other is not stay and other.claims and other.starts_at < stay.ends_at and other.ends_at > stay.starts_at
        for other in others
    )
