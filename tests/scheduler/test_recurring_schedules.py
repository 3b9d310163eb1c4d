"""When a job comes again, on clocks that jump."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import translation

from scheduler.recurring import schedules
from scheduler.recurring.errors import BadSchedule
from scheduler.recurring.words import in_words

SAO_PAULO, LISBON = "America/Sao_Paulo", "Europe/Lisbon"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(expression: str, zone: str, start: str, count: int) -> list[str]:
    found = schedules.upcoming(schedules.cron(expression, zone), at(start), count)
    return [f"{moment:%m-%d %H:%M}" for moment in found]


def test_a_time_of_day_is_that_of_the_zone() -> None:
    assert times("20 3 * * *", SAO_PAULO, "2026-03-05T05:00", 2) == ["03-05 06:20", "03-06 06:20"]


def test_the_present_moment_is_not_the_next_one() -> None:
    assert times("20 3 * * *", "UTC", "2026-03-05T03:20", 1) == ["03-06 03:20"]


def test_a_time_that_spring_skips_is_made_up_for_when_clocks_go_on() -> None:
    # Lisbon, 29 March 2026: 01:00 becomes 02:00 at 01:00 UTC.
    assert times("30 1 * * *", LISBON, "2026-03-28T12:00", 2) == ["03-29 01:00", "03-30 00:30"]


def test_several_skipped_times_become_one_run() -> None:
    assert times("0,20,40 1 * * *", LISBON, "2026-03-28T12:00", 2) == ["03-29 01:00", "03-30 00:00"]


def test_a_time_that_comes_twice_in_autumn_counts_once() -> None:
    # Lisbon, 25 October 2026: 02:00 becomes 01:00 at 01:00 UTC.
    assert times("30 1 * * *", LISBON, "2026-10-24T12:00", 2) == ["10-25 00:30", "10-26 01:30"]


def test_an_hourly_job_follows_real_time_through_both_changes() -> None:
    hours = [f"10-25 0{hour}:30" for hour in range(4)]
    assert times("30 * * * *", LISBON, "2026-10-24T23:45", 4) == hours
    assert times("30 * * * *", LISBON, "2026-03-28T23:45", 3) == ["03-29 00:30", "03-29 01:30", "03-29 02:30"]


def test_a_midnight_that_does_not_exist_is_the_first_moment_of_the_day() -> None:
    # São Paulo had summer time until 2019: on 4 November 2018 the clock went from 00:00 to 01:00.
    assert times("0 0 * * *", SAO_PAULO, "2018-11-03T12:00", 2) == ["11-04 03:00", "11-05 02:00"]


def test_an_interval_keeps_to_its_grid_and_leaves_out_what_was_missed() -> None:
    start = at("2026-03-05T12:00")
    assert schedules.every(900).next_after(start + timedelta(minutes=100), start) == start + timedelta(minutes=105)
    assert schedules.every(900).next_after(start, start) == start + timedelta(minutes=15)


def test_times_of_day_become_cron() -> None:
    chosen = schedules.at_times([time(14, 30), time(8, 30)], [1, 7], SAO_PAULO)
    assert chosen.expression == "30 8,14 * * 0,1"


def test_times_with_different_minutes_are_two_jobs() -> None:
    with pytest.raises(BadSchedule, match="second job"):
        schedules.at_times([time(8, 0), time(14, 30)], [], SAO_PAULO)


@pytest.mark.parametrize("expression", ["0 3 * *", "61 3 * * *", "a b c d e", "0 0 31 2 *", ""])
def test_what_cannot_be_read_or_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(BadSchedule):
        schedules.cron(expression, SAO_PAULO)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(BadSchedule):
        schedules.cron("0 3 * * *", zone)


@pytest.mark.parametrize(
    ("language", "expression", "words"),
    [
        ("en", "0 9,14 * * 1,3", "At 09:00 and 14:00, only on Monday and Wednesday"),
        ("pt-br", "20 3 * * *", "Às 03:20"),
        ("pt-br", "*/15 8-18 * * 1-5", "A cada 15 minutos, entre 08:00 e 18:59, de segunda-feira a sexta-feira"),
    ],
)
def test_cron_is_put_into_words(language: str, expression: str, words: str) -> None:
    with translation.override(language):
        assert in_words(schedules.cron(expression, "UTC")).casefold() == words.casefold()


@pytest.mark.parametrize(
    ("seconds", "words"), [(900, "every 15 minutes"), (3600, "every hour"), (90, "every 90 seconds")]
)
def test_an_interval_is_put_into_words(seconds: int, words: str) -> None:
    with translation.override("en"):
        assert in_words(schedules.every(seconds)) == words
