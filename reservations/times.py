"""From the wall clock of a property to an instant, also on the days when the clock jumps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_noop as _

from reservations.errors import BadReservation

if TYPE_CHECKING:
    from reservations.models import Accommodation, Reservation

PLAUSIBLE_YEARS = range(2000, 2200)


@dataclass(frozen=True)
class Agreed:
    """Times that an operator agreed with the guest of one stay; None = as the source says."""

    check_in: time | None = None
    check_out: time | None = None

    @classmethod
    def of(cls, stay: Reservation) -> Agreed:
        return cls(stay.agreed_check_in_time, stay.agreed_check_out_time)


NOT_AGREED = Agreed()


def window_of(stay: Reservation, unit: Accommodation | None = None) -> tuple[datetime, datetime]:
    """Check-in and check-out of a stay in its unit (or another) as UTC instants. Raises BadReservation."""
    return window(
        unit or stay.accommodation, stay.check_in_date, stay.check_in_time, stay.check_out_date, stay.check_out_time,
        Agreed.of(stay),
    )  # fmt: skip


def window(
    unit: Accommodation, in_date: date, in_time: time | None, out_date: date, out_time: time | None,
    agreed: Agreed = NOT_AGREED,
) -> tuple[datetime, datetime]:  # fmt: skip
    """Check-in and check-out as UTC instants by the unit's clock. Raises BadReservation when they cannot be.

    An agreement that new dates have made impossible is left out: it never keeps the source's word from counting.
    """
    for day in (in_date, out_date):
        if day.year not in PLAUSIBLE_YEARS:
            raise BadReservation(_("%(day)s is no day for a stay; years from 2000 to 2199 are."), day=day)
    in_time, out_time = in_time or unit.check_in_time, out_time or unit.check_out_time
    start, end = _instants(unit, in_date, agreed.check_in or in_time, out_date, agreed.check_out or out_time)
    if end <= start and agreed != NOT_AGREED:
        start, end = _instants(unit, in_date, in_time, out_date, out_time)
    if end <= start:
        raise BadReservation(
            _("Check-out (%(out)s) is not after check-in (%(in)s)."),
            **{"out": f"{out_date} {out_time:%H:%M}", "in": f"{in_date} {in_time:%H:%M}"},
        )
    return start, end


def _instants(
    unit: Accommodation, in_date: date, in_time: time, out_date: date, out_time: time
) -> tuple[datetime, datetime]:
    return (
        instant(in_date, in_time, unit.timezone, later=False),
        instant(out_date, out_time, unit.timezone, later=True),
    )


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
