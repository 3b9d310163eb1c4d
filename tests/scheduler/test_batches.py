"""Many jobs in one message: claimed and recorded in a few statements, and each on its own when something is amiss."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scheduler import clock, guard, leases, pool, publisher, queues, redis, services
from scheduler.claims import claim
from scheduler.dispatcher import dispatch
from scheduler.due import look_up
from scheduler.errors import Retry
from scheduler.kinds import Kind
from scheduler.models import Job, JobAttempt, Queue
from scheduler.runner import Run, run_all, run_many
from scheduler.transitions import move_sql
from tests.builders import NOW
from tests.scheduler.kinds_for_tests import EXCLUSIVE, PLAIN, doing

SECOND = timedelta(seconds=1)


def due(count: int, kind: str = "tests.plain", **over: object) -> list[Job]:
    values: dict[str, object] = {"due_at": NOW, "now": NOW} | over
    return [services.schedule(kind, **values) for _ in range(count)]  # type: ignore[arg-type]


def run(jobs: list[Job], kind: Kind = PLAIN) -> list[str]:
    with time_machine.travel(NOW, tick=False):
        outcomes = run_many(kind, [[job.pk, job.version] for job in jobs], worker="w1")
    return [outcomes[job.pk] for job in jobs]


def states() -> dict[str, int]:
    jobs = list(Job.objects.all())
    return {state: sum(job.state == state for job in jobs) for state in {job.state for job in jobs}}


@pytest.mark.django_db
def test_jobs_due_at_one_instant_travel_together_and_others_do_not(announced: list[publisher.Message]) -> None:
    together = due(3, due_at=NOW + 100 * SECOND)
    due(1, due_at=NOW + 101 * SECOND)
    due(1, due_at=NOW + 100 * SECOND, priority=1)
    assert dispatch(now=NOW + 50 * SECOND) == 5
    assert [len(message.pairs) for message in announced] == [1, 3, 1]
    assert {pair[0] for pair in announced[1].pairs} == {job.pk for job in together}


@pytest.mark.django_db
def test_a_message_carries_no_more_than_its_kind_allows() -> None:
    messages = map(publisher.Message.of, due(PLAIN.batch + 1))
    assert [len(message.pairs) for message in publisher.merge(messages, NOW)] == [PLAIN.batch, 1]


@pytest.mark.django_db
def test_the_statements_do_not_grow_with_the_jobs() -> None:
    def statements(jobs: list[Job]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert set(run(jobs)) == {"succeeded"}
        return len(captured)

    due_few, due_many = due(2), due(40)
    run(due(1))  # the queue's row is read once
    assert statements(due_few) == statements(due_many)
    assert JobAttempt.objects.filter(outcome="succeeded").count() == 43


@pytest.mark.django_db
def test_one_that_was_called_off_takes_no_other_with_it() -> None:
    jobs = due(4)
    services.cancel(Job.objects.filter(pk=jobs[1].pk), now=NOW)
    assert run(jobs) == ["succeeded", "stale", "succeeded", "succeeded"]


@pytest.mark.django_db
def test_one_that_is_called_off_while_it_runs_takes_no_other_with_it() -> None:
    jobs = due(3)

    def cancel_the_second(run: Run) -> None:
        if run.job_id == jobs[0].pk:
            services.cancel(Job.objects.filter(pk=jobs[1].pk), now=NOW)

    doing["plain"] = cancel_the_second
    assert run(jobs) == ["succeeded", "cancelled", "succeeded"]
    assert states() == {"succeeded": 2, "cancelled": 1}


@pytest.mark.django_db
def test_one_that_fails_takes_no_other_with_it() -> None:
    jobs = due(3)

    def fail_the_second(run: Run) -> None:
        if run.job_id == jobs[1].pk:
            raise Retry("busy")

    doing["plain"] = fail_the_second
    assert run(jobs) == ["succeeded", "retry", "succeeded"]


@pytest.mark.django_db
def test_one_that_another_worker_has_taken_is_left_to_it() -> None:
    jobs = due(3)
    looked_up = look_up([[job.pk, job.version] for job in jobs])
    Job.objects.filter(pk=jobs[2].pk).update(state="running", version=2, lease_until=NOW + 30 * SECOND)
    claimed, busy = claim(PLAIN, looked_up, now=NOW, worker="w2")
    assert ([mine.job.pk for mine in claimed], busy) == ([jobs[0].pk, jobs[1].pk], [])


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's planner is the one that guesses")
@pytest.mark.parametrize("name", ["claim", "succeed"])
def test_a_message_finds_its_rows_by_their_ids_however_many_others_are_due_or_at_work(name: str) -> None:
    """By the partial indexes on the state it read all that was due, or at work, once for each message."""
    sql, values = move_sql(name, [(1, 1), (2, 1), (3, 4)], now=NOW, lease_until=None)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "scheduler_job_pkey" in plan
    assert "job_due" not in plan
    assert "job_leases" not in plan


@pytest.mark.django_db
def test_jobs_at_different_versions_are_each_held_to_their_own() -> None:
    jobs = due(3)
    services.reschedule(Job.objects.filter(pk=jobs[1].pk), due_at=NOW, now=NOW)
    versions = [jobs[0].version, jobs[1].version + 1, jobs[2].version + 1]
    with time_machine.travel(NOW, tick=False):
        outcomes = run_many(PLAIN, [[j.pk, v] for j, v in zip(jobs, versions, strict=True)], worker="w1")
    assert [outcomes[job.pk] for job in jobs] == ["succeeded", "succeeded", "stale"]


@pytest.mark.django_db
def test_two_jobs_of_one_subject_in_one_message_run_one_after_the_other() -> None:
    jobs = due(2, "tests.exclusive", subject="thing:1") + due(1, "tests.exclusive", subject="thing:2")
    assert run(jobs, EXCLUSIVE) == ["succeeded"] * 3


@pytest.mark.django_db
def test_a_paused_queue_starts_nothing_and_loses_nothing(announced: list[publisher.Message]) -> None:
    Queue.objects.filter(name="default").update(paused_at=NOW)
    jobs = due(2)
    assert run(jobs) == ["paused", "paused"]
    assert dispatch(now=NOW) == 0
    Queue.objects.filter(name="default").update(paused_at=None)
    assert dispatch(now=NOW) == 2


@pytest.mark.django_db
def test_a_kind_that_must_not_be_late_is_skipped() -> None:
    [job] = due(1, due_at=NOW - timedelta(minutes=10), now=NOW - timedelta(minutes=10))
    assert run([job], replace(PLAIN, misfire_after=60)) == ["skipped"]
    job.refresh_from_db()
    assert (job.state, "Skipped" in job.last_error) == ("cancelled", True)


@pytest.mark.django_db
def test_a_job_past_its_time_limit_is_let_go() -> None:
    [job] = due(1)
    Job.objects.filter(pk=job.pk).update(state="running", lease_until=NOW)
    with leases.kept([(job.pk, job.version, None)], seconds=30, time_limit=0):
        leases.renew_all()
    assert Job.objects.get(pk=job.pk).lease_until == NOW
    with leases.kept([(job.pk, job.version, None)], seconds=30, time_limit=60):
        leases.renew_all()
    renewed = Job.objects.get(pk=job.pk).lease_until
    assert renewed is not None
    assert renewed > NOW


@pytest.mark.django_db
def test_leases_are_renewed_together_and_only_those_that_are_still_held(
    django_assert_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    jobs = due(40)
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(state="running", lease_until=NOW)
    mine = [guard.Guard(f"reservation:{job.pk}", job.pk) for job in jobs[:2]]
    for one in mine:
        one.take()
        redis.client().expire(one.key, 5)
    Job.objects.filter(pk=jobs[3].pk).update(version=99)  # given to another meanwhile
    held = [(job.pk, job.version, one) for job, one in zip_longest(jobs, mine)]
    with leases.kept(held, seconds=30, time_limit=60), django_assert_num_queries(1):
        leases.renew_all()
    left = Job.objects.filter(lease_until=NOW)
    assert [job.pk for job in left] == [jobs[3].pk]
    assert all(redis.client().ttl(one.key) > 50 for one in mine)


@pytest.mark.django_db
def test_who_had_it_run_stands_in_the_attempt() -> None:
    [job] = due(1)
    Job.objects.filter(pk=job.pk).update(by_hand="ana")
    run([job])
    assert job.attempts.get().by_hand == "ana"
    job.refresh_from_db()
    assert job.by_hand == ""


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer: nothing happens at once")
def test_no_more_act_at_once_than_the_queue_allows() -> None:
    Queue.objects.update_or_create(name="default", defaults={"concurrency": 3})
    queues.forget()
    pool._slots.clear()
    inside, most, lock = [0], [0], threading.Lock()
    three_at_once = threading.Barrier(3)  # nobody leaves before three are in

    def count(_: Run) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        three_at_once.wait(20)
        with lock:
            inside[0] -= 1

    doing["plain"] = count
    jobs = due(9, due_at=clock.now(), now=clock.now())
    outcomes = run_all(PLAIN, [[job.pk, job.version] for job in jobs], worker="w1")
    pool._slots.clear()
    assert ({str(row["outcome"]) for row in outcomes}, most) == ({"succeeded"}, [3])


@pytest.mark.django_db
def test_a_worker_that_stops_hands_back_what_it_has_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []
    stopping = threading.Event()
    monkeypatch.setattr(pool, "_stopping", stopping)

    def stop_after_the_first(run: Run) -> None:
        ran.append(run.job_id)
        pool.stop()

    doing["plain"] = stop_after_the_first
    jobs = due(3)
    assert run(jobs) == ["succeeded", "waiting", "waiting"]
    assert ran == [jobs[0].pk]
    back = Job.objects.filter(state="scheduled")
    assert {(job.attempt, job.run_at) for job in back} == {(0, NOW)}


@pytest.mark.django_db
def test_a_queue_starts_no_more_than_its_rate_and_puts_the_others_back_one_after_the_other() -> None:
    Queue.objects.filter(name="default").update(rate=2, burst=3)
    jobs = due(5)
    assert run(jobs) == ["succeeded"] * 3 + ["limited"] * 2
    waits = sorted((job.run_at - NOW).total_seconds() for job in Job.objects.filter(state="scheduled"))
    assert waits == [0.5, 1.0]
    assert set(Job.objects.filter(state="scheduled").values_list("attempt", flat=True)) == {0}
