"""What an outage leaves behind holds nobody up: a guard whose job does not run, an end that was not written down."""

from __future__ import annotations

from datetime import timedelta

import fakeredis
import pytest
from django.db import InternalError, OperationalError, connection

from scheduler import claims, clock, guard, records, services
from scheduler.due import look_up
from scheduler.models import Job, JobAttempt
from scheduler.runner import run_one
from tests.scheduler.kinds_for_tests import EXCLUSIVE, PLAIN, doing


def due(kind: str) -> Job:
    now = clock.now()
    return services.schedule(kind, due_at=now, now=now, subject="thing:1")


def leave_guard(fake_redis: fakeredis.FakeRedis, holder: Job, *, seconds_ago: int) -> None:
    held = guard.Guard(holder.subject, holder.pk)
    held.take()
    fake_redis.expire(held.key, guard.SECONDS - seconds_ago)


@pytest.mark.django_db
def test_a_guard_that_redis_did_not_release_holds_nobody_up(fake_redis: fakeredis.FakeRedis) -> None:
    over, job = due("tests.exclusive"), due("tests.exclusive")
    assert run_one(EXCLUSIVE, over.pk, over.version, worker="w1") == "succeeded"
    leave_guard(fake_redis, over, seconds_ago=10)
    assert run_one(EXCLUSIVE, job.pk, job.version, worker="w1") == "succeeded"
    assert fake_redis.exists("lock:thing:1") == 0


@pytest.mark.django_db
def test_the_guard_of_a_job_that_runs_or_is_just_being_claimed_is_respected(fake_redis: fakeredis.FakeRedis) -> None:
    first, job = due("tests.exclusive"), due("tests.exclusive")
    leave_guard(fake_redis, first, seconds_ago=1)
    assert run_one(EXCLUSIVE, job.pk, job.version, worker="w1") == "busy"
    fake_redis.flushall()
    claims.claim(EXCLUSIVE, look_up([[first.pk, first.version]]), now=clock.now(), worker="w2")
    leave_guard(fake_redis, first, seconds_ago=10)
    job.refresh_from_db()
    Job.objects.filter(pk=job.pk).update(run_at=clock.now() - timedelta(seconds=1))
    assert run_one(EXCLUSIVE, job.pk, job.version, worker="w1") == "busy"
    assert fake_redis.exists("lock:thing:1") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("committed", [False, True], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("error", [OperationalError("terminating connection"), InternalError("read-only transaction")])
def test_what_was_done_is_written_down_although_the_database_did_not_take_it(
    monkeypatch: pytest.MonkeyPatch, committed: bool, error: Exception
) -> None:
    succeed = records._succeed
    broken: list[list[records.Ended]] = []

    def breaking(ended: list[records.Ended]) -> dict[int, str]:
        if broken:
            return succeed(ended)
        broken.append(ended)
        if committed:
            succeed(ended)
        raise error

    monkeypatch.setattr(records, "_succeed", breaking)
    monkeypatch.setattr(records, "PAUSES", (0.0,))
    ran: list[int] = []
    doing["plain"] = lambda run: ran.append(run.job_id)
    job = due("tests.plain")
    assert run_one(PLAIN, job.pk, job.version, worker="w1") == "succeeded"
    job.refresh_from_db()
    assert (job.state, ran, broken != []) == ("succeeded", [job.pk], True)
    assert JobAttempt.objects.get().outcome == "succeeded"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL can end a connection from outside")
@pytest.mark.parametrize("outcome", ["succeeded", "retry"])
def test_a_cut_connection_costs_neither_the_outcome_nor_a_lease(outcome: str) -> None:
    def cut(_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
            with pytest.raises(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        if outcome == "retry":
            raise TimeoutError

    doing["plain"] = cut
    job = due("tests.plain")
    assert run_one(PLAIN, job.pk, job.version, worker="w1") == outcome
    job.refresh_from_db()
    assert job.state == ("succeeded" if outcome == "succeeded" else "scheduled")
