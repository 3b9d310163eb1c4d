"""Claim, act, record: a message that comes twice, late or early does no harm, and errors name the policy."""

from __future__ import annotations

from datetime import datetime, timedelta

import fakeredis
import pytest
import redis as redis_library
import time_machine

from scheduler import claims, clock, guard, redis, services
from scheduler.due import look_up
from scheduler.errors import Retry, Stop, Wait
from scheduler.kinds import Kind
from scheduler.models import Job, JobAttempt
from scheduler.rescue import rescue
from scheduler.runner import Run, run_one
from scheduler.signals import job_failed, job_slowed
from scheduler.transitions import move
from tests.builders import NOW
from tests.scheduler.kinds_for_tests import ENDLESS, EXCLUSIVE, PLAIN, STUBBORN, doing

pytestmark = pytest.mark.django_db


def due(kind: str = "tests.plain", **over: object) -> Job:
    values: dict[str, object] = {"due_at": NOW, "now": NOW, "subject": "thing:1"} | over
    return services.schedule(kind, **values)  # type: ignore[arg-type]


def run(job: Job, at: datetime = NOW) -> str:
    with time_machine.travel(at, tick=False):
        return run_one(EXCLUSIVE if job.exclusive else PLAIN, job.pk, job.version, worker="w1")


def claim(kind: Kind, job: Job, at: datetime) -> None:
    """A worker takes the job and is never heard of again."""
    [mine], busy = claims.claim(kind, look_up([[job.pk, job.version]]), now=at, worker="w1")
    assert (mine.job.pk, busy) == (job.pk, [])


def fail_with(error: Exception) -> None:
    def failing(_: Run) -> None:
        raise error

    doing["plain"] = doing["exclusive"] = doing["endless"] = failing


def test_a_due_job_runs_once_however_often_its_message_comes() -> None:
    ran: list[int] = []
    doing["plain"] = lambda r: ran.append(r.job_id)
    job = due()
    assert [run(job), run(job), run(job)] == ["succeeded", "stale", "stale"]
    assert ran == [job.pk]
    job.refresh_from_db()
    assert (job.state, job.attempt, job.worker) == ("succeeded", 1, "w1")


def test_no_job_starts_early() -> None:
    started: list[datetime] = []
    doing["plain"] = lambda r: started.append(Job.objects.get(pk=r.job_id).updated_at)
    far = due(due_at=NOW + timedelta(minutes=5))
    assert run(far) == "early"
    assert started == []
    far.refresh_from_db()
    assert (far.state, far.published_at) == ("scheduled", None)


def test_a_message_that_is_a_moment_early_waits_for_the_moment() -> None:
    job = services.schedule("tests.plain", due_at=clock.now() + timedelta(milliseconds=150), now=clock.now())
    assert run_one(PLAIN, job.pk, job.version, worker="w1") == "succeeded"
    attempt = job.attempts.get()
    assert attempt.started_at >= job.run_at
    assert attempt.lateness_ms >= 0


def test_a_cancelled_or_moved_job_ignores_its_old_message() -> None:
    cancelled, moved = due(), due()
    services.cancel(Job.objects.filter(pk=cancelled.pk), now=NOW)
    services.reschedule(Job.objects.filter(pk=moved.pk), due_at=NOW, now=NOW)
    assert [run(cancelled), run(moved)] == ["stale", "stale"]
    assert not JobAttempt.objects.exists()


def test_default_retries_come_after_2_and_4_seconds_then_the_shelf() -> None:
    failed: list[str] = []
    job_failed.connect(collect := (lambda error, **_: failed.append(error)))
    fail_with(Retry("Tuya hiccup"))
    job, at, waits = due(), NOW, []
    try:
        while job.state == "scheduled":
            outcome = run(job, at)
            before, job = at, Job.objects.get(pk=job.pk)
            if job.state == "scheduled":
                waits.append((job.run_at - before).total_seconds())
                at = job.run_at
    finally:
        job_failed.disconnect(collect)
    assert [2 <= waits[0] <= 2.2, 4 <= waits[1] <= 4.4, len(waits)] == [True, True, 2]
    assert (outcome, job.state, job.attempt, job.last_error, failed) == (
        "failed", "failed", 3, "Tuya hiccup", ["Tuya hiccup"],
    )  # fmt: skip
    assert [a.outcome for a in job.attempts.all()] == ["retry", "retry", "failed"]


def test_waiting_uses_up_no_attempt() -> None:
    fail_with(Wait("the lock sleeps"))
    job = due()
    assert run(job) == "waiting"
    job.refresh_from_db()
    assert (job.state, job.attempt, job.run_at > NOW) == ("scheduled", 0, True)


def test_an_error_that_says_stop_goes_straight_to_the_shelf() -> None:
    fail_with(Stop("wrong secret"))
    job = due()
    assert run(job) == "failed"
    job.refresh_from_db()
    assert (job.state, job.attempt) == ("failed", 1)


def test_an_unknown_fault_is_tried_again_and_leaves_its_traceback() -> None:
    fail_with(ZeroDivisionError("a bug"))
    job = due()
    assert run(job) == "retry"
    attempt = job.attempts.get()
    assert (attempt.error_class, "ZeroDivisionError" in attempt.traceback) == ("ZeroDivisionError", True)


def test_after_a_cancel_commits_no_new_effect_begins() -> None:
    effects: list[str] = []

    def two_effects(run: Run) -> None:
        run.check()
        effects.append("first")
        services.cancel(Job.objects.filter(pk=run.job_id), now=NOW)
        run.check()
        effects.append("second")

    doing["plain"] = two_effects
    job = due()
    assert run(job) == "cancelled"
    job.refresh_from_db()
    assert (job.state, effects) == ("cancelled", ["first"])


def test_two_jobs_of_one_subject_never_act_together() -> None:
    first, second = due("tests.exclusive"), due("tests.exclusive")
    inside: list[str] = []

    def try_the_other(_: Run) -> None:
        doing.pop("exclusive")
        inside.append(run(second))

    doing["exclusive"] = try_the_other
    assert run(first) == "succeeded"
    assert inside == ["busy"]
    second.refresh_from_db()
    assert (second.state, second.attempt, second.run_at > NOW) == ("scheduled", 0, True)


def test_the_row_keeps_them_apart_even_when_redis_was_emptied(fake_redis: fakeredis.FakeRedis) -> None:
    first, second = due("tests.exclusive"), due("tests.exclusive")
    inside: list[str] = []

    def flush_and_try_the_other(_: Run) -> None:
        doing.pop("exclusive")
        fake_redis.flushall()
        inside.append(run(second))

    doing["exclusive"] = flush_and_try_the_other
    assert run(first) == "succeeded"
    assert inside == ["busy"]


def test_without_redis_jobs_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def set(self, *_: object, **__: object) -> None:
            raise redis_library.ConnectionError("away")

        eval = pipeline = set

    monkeypatch.setattr(redis, "client", Away)
    assert run(due("tests.exclusive")) == "succeeded"


def test_the_guard_is_released_by_its_owner_only(fake_redis: fakeredis.FakeRedis) -> None:
    doing["exclusive"] = lambda _: fake_redis.set("lock:thing:1", "somebody else's")  # type: ignore[assignment]
    assert run(due("tests.exclusive")) == "succeeded"
    assert fake_redis.get("lock:thing:1") == b"somebody else's"


def test_a_job_past_its_purpose_is_not_run() -> None:
    ran: list[int] = []
    doing["plain"] = lambda r: ran.append(r.job_id)
    job = due(expires_at=NOW + timedelta(minutes=1))
    assert run(job, NOW + timedelta(minutes=2)) == "expired"
    job.refresh_from_db()
    assert (job.state, ran, "no purpose after" in job.last_error) == ("failed", [], True)


def test_a_dead_workers_job_comes_back_and_the_lost_try_counts() -> None:
    job = due()
    claim(PLAIN, job, NOW)
    assert rescue(now=NOW + timedelta(seconds=29)) == 0
    assert rescue(now=NOW + timedelta(seconds=31)) == 1
    job.refresh_from_db()
    assert (job.state, job.attempt, job.lease_until) == ("scheduled", 1, None)
    assert job.attempts.get().outcome == "lost"


def test_a_dead_workers_guard_goes_with_it_and_nobody_elses_does(fake_redis: fakeredis.FakeRedis) -> None:
    dead, other = due("tests.exclusive"), due("tests.exclusive", subject="thing:2")
    for job in (dead, other):
        guard.Guard(job.subject, job.pk).take()
    claim(EXCLUSIVE, dead, NOW)
    rescue(now=NOW + timedelta(seconds=31))
    assert [fake_redis.exists(key) for key in ("lock:thing:1", "lock:thing:2")] == [0, 1]


def test_a_job_that_kills_its_workers_ends_on_the_shelf() -> None:
    job, at = due(), NOW
    for _ in range(3):
        claim(PLAIN, job, at)
        at += timedelta(minutes=2)
        rescue(now=at)
        job.refresh_from_db()
    assert (job.state, job.attempt) == ("failed", 3)


def lose(job: Job, kind: Kind, at: datetime, times: int) -> datetime:
    """So many workers die over it, one after the other."""
    for _ in range(times):
        claim(kind, job, at)
        at += timedelta(minutes=2)
        rescue(now=at)
        job.refresh_from_db()
        at = max(at, job.run_at)
    return at


def test_a_job_of_endless_tries_that_kills_its_workers_ends_on_the_shelf_too() -> None:
    job = due("tests.endless")
    at = lose(job, ENDLESS, NOW, 4)
    assert job.state == "scheduled"
    lose(job, ENDLESS, at, 1)
    assert (job.state, job.attempt) == ("failed", 5)


def test_a_retry_by_a_person_gives_such_a_job_its_tries_again() -> None:
    job = due("tests.endless")
    at = lose(job, ENDLESS, NOW, 5)
    services.retry(Job.objects.filter(pk=job.pk), now=at, actor="maria")
    job.refresh_from_db()
    lose(job, ENDLESS, at, 4)
    assert job.state == "scheduled"


def test_a_try_that_came_back_by_itself_clears_a_job_of_suspicion() -> None:
    job = due("tests.endless")
    at = lose(job, ENDLESS, NOW, 4)
    fail_with(Retry("not now"))
    with time_machine.travel(at, tick=False):
        assert run_one(ENDLESS, job.pk, job.version, worker="w1") == "retry"
    job.refresh_from_db()
    lose(job, ENDLESS, job.run_at, 4)
    assert job.state == "scheduled"


def test_what_may_never_be_given_up_is_tried_seldom_instead_and_that_is_told_once() -> None:
    told: list[int] = []
    job_slowed.connect(collect := (lambda job, **_: told.append(job.pk)))
    job = due("tests.stubborn")
    try:
        at = lose(job, STUBBORN, NOW, 4)
        assert told == []
        lose(job, STUBBORN, at, 3)
    finally:
        job_slowed.disconnect(collect)
    assert (job.state, told) == ("scheduled", [job.pk])
    assert job.run_at - job.updated_at == timedelta(hours=1)


def test_jobs_that_were_lost_together_come_apart() -> None:
    jobs = [due("tests.endless", subject=f"thing:{number}") for number in range(8)]
    for job in jobs:
        claim(ENDLESS, job, NOW)
    rescue(now=NOW + timedelta(seconds=31))
    assert {job.run_at for job in Job.objects.all()} == {NOW + timedelta(seconds=31)}
    for job in Job.objects.all():
        claim(ENDLESS, job, NOW + timedelta(seconds=31))
    rescue(now=NOW + timedelta(seconds=62))
    again = {job.run_at - NOW for job in Job.objects.all()}
    assert len(again) == 8
    assert max(again) < timedelta(seconds=72)


def test_a_zombie_cannot_record_over_its_successor() -> None:
    def slow(run: Run) -> None:
        rescue(now=NOW + timedelta(minutes=5))

    doing["plain"] = slow
    job = due()
    assert run(job) == "cancelled"
    job.refresh_from_db()
    assert job.state == "scheduled"


def test_every_move_raises_the_version() -> None:
    job = due()
    move(Job.objects.filter(pk=job.pk), "cancel", now=NOW)
    move(Job.objects.filter(pk=job.pk), "revive", now=NOW, run_at=NOW)
    job.refresh_from_db()
    assert job.version == 3


def test_a_zombie_does_not_rewrite_the_attempt_that_was_given_up() -> None:
    def be_given_up(_: Run) -> None:
        rescue(now=NOW + timedelta(minutes=5))

    doing["plain"] = be_given_up
    job = due()
    assert run(job) == "cancelled"
    assert job.attempts.get().outcome == "lost"


def test_a_zombie_whose_job_was_cleared_away_ends_quietly() -> None:
    def clear(run: Run) -> None:
        Job.objects.filter(pk=run.job_id).delete()

    doing["plain"] = clear
    assert run(due()) == "cancelled"
    assert not JobAttempt.objects.exists()
