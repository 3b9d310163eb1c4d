"""Queues are paused, resumed, changed and limited, for all workers and within a second."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

import fakeredis
import pytest
from redis.exceptions import ConnectionError as RedisAway
from structlog.testing import capture_logs

from scheduler import clock, dispatcher, health, limits, queues, redis, services
from scheduler.models import Heartbeat, Job, Queue
from smartlock.audit.models import AuditLog
from tests.builders import NOW
from tests.scheduler import kinds_for_tests  # noqa: F401  declares the kinds

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def pause(name: str = "default") -> bool:
    return queues.pause(name, now=NOW, actor="ana")


def resume(name: str = "default", now: datetime = NOW) -> bool:
    return queues.resume(name, now=now, actor="ben")


# --- pause and resume -----------------------------------------------------------------------------------------------


def test_pausing_says_who_and_when_and_does_nothing_the_second_time() -> None:
    assert pause() is True
    assert queues.pause("default", now=NOW + SECOND, actor="ben") is False
    row = Queue.objects.get(name="default")
    assert (row.paused_at, row.paused_by) == (NOW, "ana")
    assert queues.paused() == {"default"}
    assert AuditLog.objects.filter(action="queue.paused", subject="queue:default", actor="ana").count() == 1


def test_resuming_does_nothing_the_second_time_either() -> None:
    pause()
    assert resume() is True
    assert resume() is False
    assert queues.paused() == set()
    assert AuditLog.objects.filter(action="queue.resumed", actor="ben").count() == 1


@pytest.mark.parametrize("verb", [pause, resume])
def test_an_unknown_queue_is_a_sentence(verb: object) -> None:
    with pytest.raises(LookupError) as refusal:
        verb("pnis")  # type: ignore[operator]
    assert str(refusal.value) == "No queue is called 'pnis'; known: default, messages, pins, sync."


def test_what_came_due_meanwhile_is_published_at_the_next_tick() -> None:
    pause()
    job = services.schedule("tests.plain", due_at=NOW, now=NOW)
    resume(now=NOW + 5 * SECOND)
    messages = dispatcher.take(now=NOW + 6 * SECOND)
    assert str(job.pk) in str(messages)


def test_changing_a_queue_is_audited_and_leaves_the_pause_alone() -> None:
    pause("pins")
    assert queues.change("pins", actor="ana", concurrency=3, rate=2.5) is True
    assert queues.settings("pins") == queues.Settings("pins", 3, 2.5, 10, True)
    assert AuditLog.objects.get(action="queue.changed").details == {"concurrency": 3, "rate": 2.5}


# --- what is remembered ---------------------------------------------------------------------------------------------


def test_a_queue_without_a_row_works_with_the_usual_values() -> None:
    Queue.objects.all().delete()
    assert queues.settings("pins") == queues.Settings("pins", 16, None, 10, False)
    assert queues.settings("unheard-of").concurrency == 8
    assert queues.paused() == set()


@pytest.mark.django_db(transaction=True)
def test_answers_are_remembered_for_a_second_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    present = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: present[0])
    assert queues.settings("pins").concurrency == 16
    Queue.objects.filter(name="pins").update(concurrency=1, paused_at=NOW)
    assert queues.settings("pins").concurrency == 16
    assert queues.paused() == set()
    present[0] += 1.0
    assert queues.paused() == {"pins"}
    assert queues.settings("pins").concurrency == 1
    Queue.objects.filter(name="pins").update(concurrency=2)
    present[0] += 1.0
    assert queues.settings("pins").concurrency == 2


@pytest.mark.django_db(transaction=True)
def test_the_process_that_pauses_knows_at_once() -> None:
    assert queues.paused() == set()
    pause("sync")
    assert queues.paused() == {"sync"}


# --- health ---------------------------------------------------------------------------------------------------------


def default_queue(report: dict[str, Any]) -> dict[str, Any]:
    return next(queue for queue in report["queues"] if queue["name"] == "default")


def test_a_paused_queue_is_ill_once_due_work_waits_in_it() -> None:
    """Somebody wanted it so, and perhaps forgot it: guests stand before shut doors meanwhile."""
    Heartbeat.objects.create(name="dispatcher", beat_at=NOW)
    services.schedule("tests.plain", due_at=NOW + timedelta(hours=1), now=NOW)
    pause()
    report = health.queue_health(now=NOW)
    queue = default_queue(report)
    assert (report["status"], queue["healthy"], queue["is_paused"], queue["problem"]) == ("healthy", True, True, "")
    for minutes in (0, 5):
        services.schedule("tests.plain", due_at=NOW - timedelta(minutes=minutes), now=NOW - timedelta(minutes=minutes))
    report = health.queue_health(now=NOW)
    queue = default_queue(report)
    assert (report["status"], queue["healthy"], queue["overdue"]) == ("degraded", False, 0)
    assert queue["problem"] == "The queue default is paused since 2026-03-05 12:00 UTC, and 2 due jobs wait in it."
    assert (queue["stats"]["waiting"], queue["stats"]["paused"], queue["stats"]["delayed"]) == (0, 2, 1)


def test_resumed_it_is_well_again() -> None:
    Heartbeat.objects.create(name="dispatcher", beat_at=NOW)
    pause()
    services.schedule("tests.plain", due_at=NOW, now=NOW)
    assert "1 due job waits" in default_queue(health.queue_health(now=NOW))["problem"]
    resume()
    assert health.queue_health(now=NOW)["status"] == "healthy"


def test_a_failed_job_makes_a_paused_queue_ill_all_the_same() -> None:
    Heartbeat.objects.create(name="dispatcher", beat_at=NOW)
    pause()
    Job.objects.filter(pk=services.schedule("tests.plain", due_at=NOW, now=NOW).pk).update(
        state="failed", finished_at=NOW
    )
    assert health.queue_health(now=NOW)["status"] == "degraded"


# --- the rate -------------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(db: None) -> str:
    """Two a second, three at once after a quiet time."""
    queues.change("messages", actor="ana", rate=2.0, burst=3)
    return "messages"


def test_a_queue_without_a_rate_needs_no_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "client", lambda: pytest.fail("asked Redis"))
    assert limits.ask("pins", 500, NOW) == limits.Grant(500)
    assert limits.take("pins", 0, NOW) == 0


def test_a_burst_then_no_more_than_the_rate(limited: str) -> None:
    assert [limits.take(limited, 2, NOW) for _ in range(3)] == [2, 1, 0]
    assert limits.take(limited, 5, NOW + SECOND) == 2
    assert limits.take(limited, 5, NOW + timedelta(hours=1)) == 3


def test_over_a_minute_exactly_the_rate_gets_through(limited: str) -> None:
    started = sum(limits.take(limited, 7, NOW + tick * timedelta(milliseconds=130)) for tick in range(462))
    assert started == 3 + int(2 * 461 * 0.130)


def test_the_others_are_told_how_long_to_wait(limited: str) -> None:
    grant = limits.ask(limited, 5, NOW)
    assert grant == limits.Grant(3, 0.5, 0.5)
    assert [grant.wait(nth) for nth in range(2)] == [0.5, 1.0]
    assert limits.take(limited, 1, NOW + timedelta(seconds=0.5)) == 1


def test_those_that_must_wait_stand_in_one_line(limited: str) -> None:
    limits.ask(limited, 5, NOW)  # two are left, for half a second and a second from now
    later = limits.ask(limited, 2, NOW + timedelta(seconds=0.2))
    assert later.starts == 0
    assert [later.wait(nth) for nth in range(2)] == pytest.approx([1.3, 1.8], abs=1e-4)
    assert limits.ask(limited, 1, NOW + timedelta(hours=1)).starts == 1


def test_the_line_is_no_longer_than_a_minute(limited: str) -> None:
    limits.ask(limited, 3 + 200, NOW)
    assert limits.ask(limited, 1, NOW).wait_seconds == pytest.approx(0.5, abs=1e-4)


def test_a_crowd_asks_about_once_per_job(limited: str) -> None:
    """A hundred jobs at two a second, each asking again when it was told to."""
    waiting, asked, started = [(NOW, place) for place in range(100)], 0, []
    while waiting:
        now, job = min(waiting)
        waiting.remove((now, job))
        grant, asked = limits.ask(limited, 1, now), asked + 1
        if grant.starts:
            started.append(now)
        else:
            waiting.append((now + timedelta(seconds=grant.wait_seconds), job))
    assert started[-1] - NOW == pytest.approx(timedelta(seconds=97 / 2), abs=SECOND)
    assert asked < 250


def test_two_workers_share_one_bucket(limited: str, fake_redis: fakeredis.FakeRedis) -> None:
    taken = [limits.take(limited, 1, NOW) for _worker in range(6)]
    assert sum(taken) == 3
    assert fake_redis.pttl("limit:messages") > 0


def test_a_clock_that_runs_behind_or_ahead_neither_stops_nor_doubles(limited: str) -> None:
    assert limits.take(limited, 3, NOW + SECOND) == 3
    assert limits.take(limited, 3, NOW) == 0
    assert limits.take(limited, 3, NOW + SECOND) == 0
    limits.take(limited, 3, NOW + timedelta(hours=1))
    assert limits.take(limited, 3, NOW + 2 * SECOND) == 0
    assert limits.take(limited, 3, NOW + 3 * SECOND) == 2


def test_a_lower_burst_counts_at_once(limited: str) -> None:
    limits.take(limited, 1, NOW)
    queues.change(limited, actor="ana", burst=1)
    assert limits.take(limited, 3, NOW) == 1


def test_without_redis_all_may_start_and_the_log_says_so_once(limited: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> object:
        raise RedisAway("away")

    there = redis.client
    monkeypatch.setattr(limits, "_without_redis", False)
    for _outage in range(2):
        monkeypatch.setattr(redis, "client", away)
        with capture_logs() as told:
            assert [limits.take(limited, 50, NOW) for _ in range(3)] == [50, 50, 50]
        assert [entry["event"] for entry in told] == ["limits.without_redis"]
        monkeypatch.setattr(redis, "client", there)
        limits.take(limited, 1, clock.now())
