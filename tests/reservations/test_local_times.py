"""From a property's wall clock to an instant, on the days when the clock jumps."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reservations.times import instant

ZONES = [
    "America/Sao_Paulo", "America/Noronha", "America/Manaus", "America/Rio_Branco", "Europe/Lisbon", "Europe/Berlin",
    "Europe/Dublin", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "Africa/Casablanca", "America/Havana",
    "Asia/Kathmandu", "UTC",
]  # fmt: skip
LOCAL = st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30)).map(lambda moment: moment.replace(microsecond=0))
NEAR_SWITCHES = st.builds(
    lambda day, minutes: datetime.combine(day, time()) + timedelta(minutes=minutes),
    st.sampled_from(
        [date(2018, 11, 3), date(2018, 2, 17), date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 5),
         date(2026, 10, 4), date(2011, 12, 29), date(2024, 4, 26), date(2024, 10, 31), date(2026, 3, 8)]
    ),
    st.integers(0, 48 * 60),
)  # fmt: skip


def at(moment: datetime, zone: str, *, later: bool) -> datetime:
    return instant(moment.date(), moment.time(), zone, later=later)


@pytest.mark.parametrize(
    ("zone", "utc_hour"),
    [("America/Noronha", 17), ("America/Sao_Paulo", 18), ("America/Manaus", 19), ("America/Rio_Branco", 20)],
)
def test_three_in_the_afternoon_is_four_instants_in_brazil(zone: str, utc_hour: int) -> None:
    for later in (False, True):
        assert instant(date(2026, 3, 6), time(15), zone, later=later) == datetime(2026, 3, 6, utc_hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "expected"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), time(0, 30), datetime(2018, 11, 4, 3, 0, tzinfo=UTC)),
        ("Europe/Lisbon", date(2026, 3, 29), time(1, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 30), time(15, 0), datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),
        ("Africa/Cairo", date(2024, 4, 26), time(0, 30), datetime(2024, 4, 25, 22, 0, tzinfo=UTC)),
    ],
)
def test_a_time_that_is_skipped_becomes_the_moment_of_the_switch(
    zone: str, day: date, clock: time, expected: datetime
) -> None:
    assert instant(day, clock, zone, later=False) == expected
    assert instant(day, clock, zone, later=True) == expected


@pytest.mark.parametrize(
    ("zone", "day", "clock", "first", "second"),
    [
        ("America/Sao_Paulo", date(2018, 2, 17), time(23, 30),
         datetime(2018, 2, 18, 1, 30, tzinfo=UTC), datetime(2018, 2, 18, 2, 30, tzinfo=UTC)),
        ("Europe/Lisbon", date(2026, 10, 25), time(1, 30),
         datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 10, 25), time(2, 30),
         datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45),
         datetime(2026, 4, 4, 14, 45, tzinfo=UTC), datetime(2026, 4, 4, 15, 15, tzinfo=UTC)),
        ("Africa/Cairo", date(2024, 10, 31), time(23, 30),
         datetime(2024, 10, 31, 20, 30, tzinfo=UTC), datetime(2024, 10, 31, 21, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_time_that_comes_twice_is_early_for_arrivals_and_late_for_departures(
    zone: str, day: date, clock: time, first: datetime, second: datetime
) -> None:
    assert instant(day, clock, zone, later=False) == first
    assert instant(day, clock, zone, later=True) == second


@given(LOCAL | NEAR_SWITCHES, st.sampled_from(ZONES), st.booleans())
@example(datetime(2011, 12, 30, 0, 0), "Pacific/Apia", False)
@example(datetime(2011, 12, 30, 23, 59, 59), "Pacific/Apia", True)
def test_the_result_reads_as_asked_or_is_the_end_of_a_gap(moment: datetime, zone: str, later: bool) -> None:
    result = at(moment, zone, later=later)
    tz = ZoneInfo(zone)
    shown = result.astimezone(tz).replace(tzinfo=None)
    second_before = (result - timedelta(seconds=1)).astimezone(tz).replace(tzinfo=None)
    assert shown == moment or second_before < moment < shown


@given(LOCAL | NEAR_SWITCHES, st.sampled_from(ZONES))
def test_a_window_never_shrinks(moment: datetime, zone: str) -> None:
    tz = ZoneInfo(zone)
    arrival, departure = at(moment, zone, later=False), at(moment, zone, later=True)
    for fold in (0, 1):
        reading = moment.replace(tzinfo=tz, fold=fold).astimezone(UTC)
        if reading.astimezone(tz).replace(tzinfo=None) == moment:
            assert arrival <= reading <= departure


@given(LOCAL | NEAR_SWITCHES, st.integers(0, 3 * 24 * 60), st.sampled_from(ZONES), st.booleans())
def test_a_later_time_on_the_wall_is_never_an_earlier_instant(
    moment: datetime, minutes: int, zone: str, later: bool
) -> None:
    assert at(moment, zone, later=later) <= at(moment + timedelta(minutes=minutes), zone, later=True)
