"""Many jobs at a glance: counted by hour and day of a clock, and how late tries began."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from scheduler import overview
from scheduler.models import Job, JobAttempt
from scheduler.overview import Lateness, lateness
from scheduler.totals import ABOVE_MS

NOW = datetime(2026, 3, 5, 12, 20, tzinfo=UTC)
SAO_PAULO, BERLIN = ZoneInfo("America/Sao_Paulo"), ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def a_job(run_at: datetime, state: str = "scheduled") -> Job:
    finished_at = None if state == "scheduled" else run_at
    return Job.objects.create(kind="tests.noop", due_at=run_at, run_at=run_at, state=state, finished_at=finished_at)


def test_hours_begin_with_the_one_that_is_running() -> None:
    first, second, *_ = overview.hours(NOW, SAO_PAULO)
    assert (first.hour, first.minute, second - first) == (9, 0, timedelta(hours=1))


def test_hours_are_24_different_ones_when_the_clock_is_changed() -> None:
    hours = [hour.astimezone(UTC) for hour in overview.hours(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), BERLIN)]
    assert [later - earlier for earlier, later in pairwise(hours)] == [timedelta(hours=1)] * 23


def test_days_begin_at_midnight_there() -> None:
    days = overview.days(datetime(2026, 3, 28, 12, tzinfo=UTC), BERLIN)
    assert [(day.hour, day.date()) for day in days[:3]] == [
        (0, date(2026, 3, 28)), (0, date(2026, 3, 29)), (0, date(2026, 3, 30))
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_is_due_is_counted_by_hour_and_what_is_overdue_in_the_first() -> None:
    for run_at in (NOW - timedelta(days=3), NOW, NOW + 50 * MINUTE, NOW + timedelta(hours=24)):
        a_job(run_at)
    a_job(NOW + MINUTE, "succeeded")
    hours = overview.hours(NOW, SAO_PAULO)
    assert overview.due_by_hour(hours, SAO_PAULO) == [2, 1, *[0] * 22]


@pytest.mark.django_db
def test_what_is_due_is_counted_by_the_days_of_the_zone() -> None:
    a_job(datetime(2026, 3, 6, 2, 0, tzinfo=UTC))  # still the 5th in São Paulo
    days = overview.days(NOW, SAO_PAULO)
    assert overview.due_by_day(days, SAO_PAULO)[:2] == [1, 0]


@pytest.mark.django_db
def test_lateness_is_told_by_the_hour_in_which_tries_began() -> None:
    job = a_job(NOW, "succeeded")
    for number, late in enumerate([3, 4, 60_000]):
        JobAttempt.objects.create(job=job, number=number, started_at=NOW, lateness_ms=late)
    JobAttempt.objects.create(job=job, number=9, started_at=NOW - timedelta(hours=2), lateness_ms=1)
    hours = overview.hours(NOW - timedelta(hours=1), SAO_PAULO, 2)
    assert overview.lateness_by_hour(hours, SAO_PAULO) == [Lateness(), Lateness(3, 5, 60_000)]


def test_percentiles_are_the_bounds_that_hold_so_many_tries() -> None:
    assert lateness({}) == Lateness()
    assert lateness({5: 99, ABOVE_MS: 1}) == Lateness(100, 5, 5)
    assert lateness({5: 98, 1000: 1, ABOVE_MS: 1}) == Lateness(100, 5, 1000)
    assert lateness({5: 1, 100: 1}) == Lateness(2, 5, 100)


@pytest.mark.django_db
def test_states_are_counted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "COUNTED", 2)
    for _ in range(5):
        a_job(NOW)
    a_job(NOW, "failed")
    counts = overview.states()
    assert (counts["scheduled"], counts["failed"], counts["running"]) == (3, 1, 0)
