"""Where a bar lies: by the unit's own wall clock, in the first free lane, and marked where two claim one unit."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from smartlock.timeline.board import Span, Stay, lay_out

SAO_PAULO, BERLIN = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Europe/Berlin")
WEEK = Span(date(2026, 3, 2), 10)


def stay(begins: int, ends: int, *, claims: bool = True) -> Stay:
    """From 15:00 of one day of March to 11:00 of another, São Paulo time."""
    return Stay(
        datetime(2026, 3, begins, 15, tzinfo=SAO_PAULO), datetime(2026, 3, ends, 11, tzinfo=SAO_PAULO), claims
    )  # fmt: skip


def test_a_place_is_told_by_the_clock_of_the_unit() -> None:
    noon_there = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    assert WEEK.place(noon_there, SAO_PAULO) == pytest.approx(25)
    assert WEEK.place(noon_there, ZoneInfo("UTC")) == pytest.approx(26.25)


def test_a_day_is_as_wide_as_any_other_when_the_clock_is_changed() -> None:
    span = Span(date(2026, 3, 28), 4)  # Berlin loses an hour on the 29th
    noons = [span.place(datetime(2026, 3, day, 12, tzinfo=BERLIN), BERLIN) for day in (28, 29, 30, 31)]
    assert noons == pytest.approx([12.5, 37.5, 62.5, 87.5])


def test_a_bar_reaches_from_check_in_to_check_out() -> None:
    (bar,) = lay_out([stay(3, 5)], WEEK, SAO_PAULO).bars
    assert (bar.left, bar.left + bar.width) == pytest.approx((16.25, 34.583), abs=0.01)
    assert (bar.comes_in, bar.goes_on, bar.is_double) == (False, False, False)


def test_what_reaches_beyond_the_days_is_cut_off_and_says_so() -> None:
    (bar,) = lay_out([stay(1, 30)], WEEK, SAO_PAULO).bars
    assert (bar.left, bar.width, bar.comes_in, bar.goes_on) == (0, 100, True, True)


def test_what_lies_outside_the_days_has_no_bar() -> None:
    assert lay_out([stay(13, 15)], WEEK, SAO_PAULO).bars == []


def test_a_turnover_shares_a_lane_and_is_no_double_booking() -> None:
    row = lay_out([stay(5, 7), stay(3, 5)], WEEK, SAO_PAULO)
    assert ([bar.lane for bar in row.bars], row.lanes, row.is_double) == ([0, 0], 1, False)


def test_a_double_booking_is_stacked_and_both_are_marked() -> None:
    row = lay_out([stay(3, 6), stay(4, 8), stay(8, 9)], WEEK, SAO_PAULO)
    assert [(bar.lane, bar.is_double) for bar in row.bars] == [(0, True), (1, True), (0, False)]
    assert (row.lanes, row.is_double) == (2, True)


def test_what_claims_no_unit_is_stacked_without_a_warning() -> None:
    row = lay_out([stay(3, 6), stay(4, 8, claims=False)], WEEK, SAO_PAULO)
    assert (row.lanes, row.is_double) == (2, False)
