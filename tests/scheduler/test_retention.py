"""What is over is kept for a while: by age and by number, for each queue as its row says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scheduler import retention, services
from scheduler.models import Job, JobAttempt, Queue
from tests.builders import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def ended(state: str = "succeeded", *, days: float = 0, queue: str = "default") -> Job:
    at = NOW - days * DAY
    job = Job.objects.create(kind="tests.plain", queue=queue, due_at=at, run_at=at, state=state, finished_at=at)
    JobAttempt.objects.create(job=job, number=1, started_at=at, finished_at=at)
    return job


def limit(queue: str = "default", **values: object) -> None:
    Queue.objects.filter(name=queue).update(**values)


def test_done_jobs_go_when_they_are_too_old_with_their_attempts() -> None:
    limit(keep_done_days=10)
    gone = [ended(days=11), ended("cancelled", days=30)]
    kept = [ended(days=9), ended("failed", days=300)]
    assert services.prune(now=NOW) == 2
    assert set(Job.objects.all()) == set(kept)
    assert not JobAttempt.objects.filter(job_id__in=[job.pk for job in gone]).exists()
    assert JobAttempt.objects.count() == 2


def test_done_jobs_go_when_they_are_too_many_the_oldest_first() -> None:
    limit(keep_done=3)
    jobs = [ended(days=days) for days in (5, 1, 4, 2, 3)]
    assert services.prune(now=NOW) == 2
    assert set(Job.objects.all()) == {jobs[1], jobs[3], jobs[4]}


def test_of_those_that_ended_together_the_last_are_kept() -> None:
    limit(keep_done=2)
    jobs = [ended() for _ in range(4)]
    services.prune(now=NOW)
    assert set(Job.objects.all()) == set(jobs[2:])


def test_keeping_none_keeps_none() -> None:
    limit(keep_done=0, keep_failed=0)
    ended()
    ended("failed")
    assert services.prune(now=NOW) == 2


def test_failed_jobs_stay_unless_the_queue_limits_them() -> None:
    for days in range(4):
        ended("failed", days=days)
    assert services.prune(now=NOW) == 0
    limit(keep_failed=1)
    assert services.prune(now=NOW) == 3
    assert Job.objects.get().finished_at == NOW


def test_each_queue_has_its_own_limits_and_live_jobs_are_nobodys() -> None:
    limit("pins", keep_done=0)
    ended(queue="pins")
    kept = ended(queue="messages")
    live = services.schedule("tests.plain", due_at=NOW - 900 * DAY, now=NOW - 900 * DAY)
    assert services.prune(now=NOW) == 1
    assert set(Job.objects.all()) == {kept, live}


def test_jobs_of_a_queue_that_is_no_more_are_pruned_by_the_usual_rule() -> None:
    ended(queue="gone", days=31)
    young = ended(queue="gone", days=29)
    assert services.prune(now=NOW) == 1
    assert Job.objects.get() == young


def test_many_are_deleted_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PORTION", 7)
    limit(keep_done=5)
    for _ in range(30):
        ended()
    assert services.prune(now=NOW) == 25
    assert Job.objects.count() == JobAttempt.objects.count() == 5
