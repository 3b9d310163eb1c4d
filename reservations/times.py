"""From the wall clock of a property to an instant, also on the days when the clock jumps. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def instant(day: date, clock: time, zone: str, *, later: bool) -> datetime:
    """The UTC instant of a local date and time.

    A time that the switch to summer time skips becomes the next instant that exists. A time that happens twice
    becomes the earlier one, or the ``later`` one: so that a window never shrinks, check-in takes the earlier and
    check-out the later.
    """
    tz = ZoneInfo(zone)
    local = datetime.combine(day, clock, tzinfo=tz)
    first, second = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first.astimezone(tz).replace(tzinfo=None) == local.replace(tzinfo=None):
        return second if later else first
    return _end_of_gap(second, first, tz)


def _end_of_gap(before: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """The instant of the switch, which lies after ``before`` and not after ``after`` (both UTC), to the second."""
    new_offset = after.astimezone(tz).utcoffset()
    seconds = int((after - before).total_seconds())
    low, high = 0, seconds
    while low < high:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(tz).utcoffset() == new_offset:
            high = middle
        else:
            low = middle + 1
    return before + timedelta(seconds=low)
