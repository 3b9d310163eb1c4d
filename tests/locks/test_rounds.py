"""How often locks are read, in what order, and what a month of it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from locks.rounds import DAY, HOUR, MINUTE, Door, Pace, Reading, due, intervals, monthly_calls, portion, stretch

NOW = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)  # half of March has passed
PACE = Pace()
FRESH: dict[Reading, datetime | None] = dict.fromkeys(Reading, NOW)


def door(lock_id: int = 1, **over: Any) -> Door:
    values: dict[str, Any] = {
        "lock_id": lock_id, "is_occupied": False, "is_night": False, "arrival_at": None, "read_at": FRESH,
    }  # fmt: skip
    return Door(**values | over)


def read(reading: Reading, ago: timedelta | None) -> dict[Reading, datetime | None]:
    return FRESH | {reading: None if ago is None else NOW - ago}


@pytest.mark.parametrize(
    ("over", "reading", "ago", "is_due"),
    [
        ({"is_occupied": True}, Reading.LOG, 29 * MINUTE, False),
        ({"is_occupied": True}, Reading.LOG, 30 * MINUTE, True),
        ({"is_occupied": True, "is_night": True}, Reading.LOG, 59 * MINUTE, False),
        ({"is_occupied": True, "is_night": True}, Reading.LOG, 60 * MINUTE, True),
        ({}, Reading.LOG, 5 * HOUR, False),
        ({}, Reading.LOG, 6 * HOUR, True),
        ({"is_occupied": True}, Reading.ALARMS, 2 * HOUR, True),
        ({}, Reading.ALARMS, 2 * HOUR, False),
        ({}, Reading.STATE, 6 * HOUR, True),
        ({}, Reading.RECONCILE, 23 * HOUR, False),
        ({}, Reading.RECONCILE, None, True),
    ],
)
def test_a_lock_is_read_as_often_as_somebody_needs_it(
    over: dict[str, Any], reading: Reading, ago: timedelta | None, is_due: bool
) -> None:
    found = due([door(read_at=read(reading, ago), **over)], PACE, NOW)
    assert [one.reading for one in found] == ([reading] if is_due else [])


def test_occupied_units_are_read_at_least_every_hour() -> None:
    for is_night in (False, True):
        assert intervals(PACE, is_occupied=True, is_night=is_night)[Reading.LOG] <= HOUR


def test_guests_in_house_and_arrivals_come_first() -> None:
    doors = [
        door(1, read_at=read(Reading.RECONCILE, 9 * DAY)),
        door(2, read_at=read(Reading.RECONCILE, 25 * HOUR), arrival_at=NOW + 5 * HOUR),
        door(3, read_at=read(Reading.LOG, 45 * MINUTE), is_occupied=True),
    ]
    assert [one.lock_id for one in due(doors, PACE, NOW)] == [3, 2, 1]


def test_readings_are_stretched_when_the_months_calls_run_short() -> None:
    one = door(read_at=read(Reading.STATE, 10 * HOUR))
    assert due([one], PACE, NOW, stretch=1.5) != []
    assert due([one], PACE, NOW, stretch=2) == []


@pytest.mark.parametrize(
    ("spent", "quota", "factor"),
    [(0, None, 1.0), (10**9, None, 1.0), (0, 1000, 1.0), (500, 1000, 1.0), (750, 1000, 1.5), (900, 1000, None)],
)
def test_the_months_calls_last_the_month(spent: int, quota: int | None, factor: float | None) -> None:
    assert stretch(spent, quota, NOW) == (factor if factor is None else pytest.approx(factor, rel=0.01))


def test_the_first_day_of_a_month_is_no_alarm() -> None:
    assert stretch(20, 1000, datetime(2026, 3, 1, 0, 1, tzinfo=UTC)) == 1.0


@pytest.mark.parametrize(("locks", "most"), [(1, 1), (10, 1), (200, 2), (5000, 35)])
def test_a_days_reconciliations_are_spread_over_the_day(locks: int, most: int) -> None:
    assert portion(locks, DAY, 5 * MINUTE) == most
    assert most * (DAY / (5 * MINUTE)) >= locks


def test_the_bill_of_docs_doors_md() -> None:
    assert [monthly_calls(units, PACE).total for units in (10, 200, 5000)] == [14_050, 281_000, 7_025_000]
    bill = monthly_calls(10, PACE)
    assert bill.log == 7 * 30 * (18 * 2 + 6) + 3 * 30 * 4
    assert bill.reconcile == 10 * 30
