"""A long job tells how far it is: seldom, at last for certain, and never at the work's expense."""

from __future__ import annotations

import time

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from scheduler import services
from scheduler.errors import Retry
from scheduler.models import Job
from scheduler.progress import Progress
from scheduler.runner import Run, run_one
from scheduler.transitions import move
from tests.builders import NOW
from tests.scheduler.kinds_for_tests import PLAIN, doing

pytestmark = pytest.mark.django_db


@pytest.fixture
def job() -> Job:
    job = services.schedule("tests.plain", due_at=NOW, now=NOW)
    move(Job.objects.filter(pk=job.pk), "claim", now=NOW, lease_until=NOW)
    job.refresh_from_db()
    return job


@pytest.fixture
def present(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return seconds


def told(job: Job) -> tuple[int | None, str]:
    job.refresh_from_db()
    return job.progress, job.progress_text


def test_it_writes_at_most_twice_a_second_and_always_the_last(job: Job, present: list[float]) -> None:
    with CaptureQueriesContext(connection) as queries, Progress(job.pk, job.version) as far:
        for number in range(1000):
            far.tell(number // 10, f"{number} of 1000")
            present[0] += 0.001
    assert len([query for query in queries if "UPDATE" in query["sql"]]) == 3  # at 0, at half a second, the last one
    assert told(job) == (99, "999 of 1000")


def test_the_first_word_is_written_at_once(job: Job, present: list[float]) -> None:
    far = Progress(job.pk, job.version)
    far.tell(7, "seven")
    assert told(job) == (7, "seven")
    far.tell(8)
    assert told(job) == (7, "seven")
    present[0] += 0.5
    far.tell(9)
    assert told(job) == (9, "")


def test_nonsense_is_cut_to_what_the_row_holds(job: Job) -> None:
    with Progress(job.pk, job.version) as far:
        far.tell(250, "x" * 500)
    assert told(job) == (100, "x" * 200)
    with Progress(job.pk, job.version) as far:
        far.tell(-4)
    assert told(job) == (0, "")


def test_a_job_that_moved_on_is_not_written_to(job: Job) -> None:
    services.cancel(Job.objects.all(), now=NOW)
    with Progress(job.pk, job.version) as far:
        far.tell(50, "half")
    assert told(job) == (None, "")


def test_a_failing_database_does_not_reach_the_work(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM no_such_table")
        raise AssertionError

    with transaction.atomic():
        with monkeypatch.context() as patch, Progress(job.pk, job.version) as far:
            patch.setattr(QuerySet, "update", fail)
            far.tell(50, "half")
        assert Job.objects.filter(pk=job.pk).exists()  # the transaction around it still works
    assert told(job) == (None, "")
    assert issubclass(DatabaseError, Exception)


def test_scripts_see_progress_only_where_there_is_some(job: Job) -> None:
    assert "progress" not in services.describe(job, NOW)
    with Progress(job.pk, job.version) as far:
        far.tell(40, "14 of 35")
    job.refresh_from_db()
    assert {"progress": 40, "progress_text": "14 of 35"}.items() <= services.describe(job, NOW).items()


def test_a_new_life_starts_without_old_progress(job: Job) -> None:
    with Progress(job.pk, job.version) as far:
        far.tell(40, "14 of 35")
    move(Job.objects.filter(pk=job.pk), "fail", now=NOW)
    services.retry(Job.objects.all(), now=NOW)
    assert told(job) == (None, "")


@pytest.mark.django_db
def test_a_task_tells_how_far_it_is_and_a_second_try_begins_anew() -> None:
    seen: list[int | None] = []

    def half_way(run: Run) -> None:
        seen.append(Job.objects.get(pk=run.job_id).progress)
        with run.progress() as progress:
            progress.tell(50, "1 of 2")
        raise Retry("again")

    doing["plain"] = half_way
    job = services.schedule("tests.plain", due_at=NOW, now=NOW)
    with time_machine.travel(NOW, tick=False):
        run_one(PLAIN, job.pk, job.version, worker="w1")
    job.refresh_from_db()
    assert (job.progress, job.progress_text) == (50, "1 of 2")
    with time_machine.travel(job.run_at, tick=False):
        run_one(PLAIN, job.pk, job.version, worker="w1")
    assert seen == [None, None]
