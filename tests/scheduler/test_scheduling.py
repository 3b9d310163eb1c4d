"""Schedule, reschedule, cancel, retry, run now, clear: the verbs and what they promise."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import transaction

from scheduler import publisher, services
from scheduler.kinds import UnknownKind
from scheduler.models import Job, JobAttempt
from scheduler.transitions import move
from smartlock.audit.models import AuditLog
from tests.builders import NOW
from tests.scheduler import kinds_for_tests  # noqa: F401  declares the kinds

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def schedule(**over: object) -> Job:
    values: dict[str, object] = {"due_at": NOW + HOUR, "now": NOW, "subject": "thing:1"} | over
    return services.schedule("tests.plain", **values)  # type: ignore[arg-type]


def test_a_job_waits_for_its_time() -> None:
    job = schedule()
    assert (job.state, job.run_at, job.attempt, job.version) == ("scheduled", NOW + HOUR, 0, 1)
    assert job.delay_seconds(NOW) == 3600


def test_a_due_time_in_the_past_means_now_and_is_remembered() -> None:
    job = schedule(due_at=NOW - HOUR)
    assert (job.due_at, job.run_at) == (NOW - HOUR, NOW)


def test_a_far_job_is_not_given_to_celery(
    announced: list[publisher.Message], django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        job = schedule()
    assert announced == []
    assert job.published_at is None


def test_a_near_job_is_given_to_celery_at_commit_and_not_before(
    announced: list[publisher.Message], django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        job = schedule(due_at=NOW + timedelta(seconds=30))
        assert announced == []
    assert [(m.pairs, m.run_at) for m in announced] == [(((job.pk, 1),), job.run_at)]


def test_a_live_key_is_held_by_one_job_only() -> None:
    first = schedule(live_key="pin:1")
    assert schedule(live_key="pin:1", due_at=NOW + 2 * HOUR).pk == first.pk
    services.cancel(Job.objects.filter(pk=first.pk), now=NOW)
    assert schedule(live_key="pin:1").pk != first.pk


@pytest.mark.parametrize("priority", [0, 11, -1])
def test_a_priority_out_of_range_is_refused(priority: int) -> None:
    with pytest.raises(ValueError, match=r"1 \(high\) to 10"):
        schedule(priority=priority)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        schedule(due_at=NOW.replace(tzinfo=None))


def test_an_unknown_kind_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownKind, match=r"tests\.plain"):
        services.schedule("tests.misspelled", due_at=NOW, now=NOW)


def test_rescheduling_moves_the_job_and_outdates_its_messages() -> None:
    job = schedule()
    assert services.reschedule(services.jobs_of("thing:1"), due_at=NOW + 2 * HOUR, now=NOW) == 1
    job.refresh_from_db()
    assert (job.due_at, job.run_at, job.version) == (NOW + 2 * HOUR, NOW + 2 * HOUR, 2)


def test_rescheduling_leaves_a_running_job_alone() -> None:
    job = schedule()
    move(Job.objects.filter(pk=job.pk), "claim", now=NOW, lease_until=NOW + HOUR)
    assert services.reschedule(services.jobs_of("thing:1"), due_at=NOW, now=NOW) == 0


def test_cancel_is_final_until_someone_retries() -> None:
    job = schedule()
    assert services.cancel(services.jobs_of("thing:1"), now=NOW, actor="ana", reason="not needed") == 1
    assert services.cancel(services.jobs_of("thing:1"), now=NOW) == 0
    job.refresh_from_db()
    assert (job.state, job.finished_at, job.last_error) == ("cancelled", NOW, "not needed")
    assert AuditLog.objects.get(action="jobs.cancelled").actor == "ana"


def test_run_now_moves_a_job_to_the_present() -> None:
    job = schedule()
    assert services.run_now(services.jobs_of("thing:1"), now=NOW, actor="ana") == 1
    job.refresh_from_db()
    assert (job.run_at, job.due_at) == (NOW, NOW + HOUR)


def test_retry_gives_a_failed_job_a_full_set_of_attempts() -> None:
    job = schedule(expires_at=NOW)
    move(Job.objects.filter(pk=job.pk), "fail", now=NOW, attempt=3, last_error="broken")
    assert services.retry(services.jobs_of("thing:1"), now=NOW + HOUR, actor="ana") == 1
    job.refresh_from_db()
    assert (job.state, job.attempt, job.run_at, job.expires_at) == ("scheduled", 0, NOW + HOUR, None)


def test_retry_leaves_a_job_whose_place_is_taken() -> None:
    old = schedule(live_key="pin:1")
    move(Job.objects.filter(pk=old.pk), "fail", now=NOW)
    schedule(live_key="pin:1")
    assert services.retry(Job.objects.filter(pk=old.pk), now=NOW) == 0
    old.refresh_from_db()
    assert old.state == "failed"


def test_clearing_empties_the_shelf_and_nothing_else() -> None:
    failed, waiting = schedule(), schedule()
    move(Job.objects.filter(pk=failed.pk), "fail", now=NOW)
    JobAttempt.objects.create(job=failed, number=1, started_at=NOW)
    assert services.clear_failed(Job.objects.all(), actor="ana") == 1
    assert list(Job.objects.all()) == [waiting]
    assert AuditLog.objects.get(action="jobs.cleared").details == {"count": 1}


def test_pruning_keeps_failed_and_young_jobs() -> None:
    old, young, failed = schedule(), schedule(), schedule()
    move(Job.objects.filter(pk=old.pk), "cancel", now=NOW - timedelta(days=40))
    move(Job.objects.filter(pk=young.pk), "cancel", now=NOW - timedelta(days=2))
    move(Job.objects.filter(pk=failed.pk), "fail", now=NOW - timedelta(days=40))
    assert services.prune(now=NOW) == 1
    assert set(Job.objects.all()) == {young, failed}


def test_a_job_rolls_back_with_the_change_that_caused_it(announced: list[publisher.Message]) -> None:
    with transaction.atomic():
        schedule(due_at=NOW)
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert announced == []


def test_describe_is_what_scripts_rely_on() -> None:
    job = schedule()
    JobAttempt.objects.create(job=job, number=1, started_at=NOW, finished_at=NOW, outcome="retry", error="busy")
    told = services.describe(job, NOW)
    assert {
        "id", "kind", "state", "run_at", "attempt", "max_attempts", "priority", "delay_seconds", "last_error",
        "attempts",
    } <= told.keys()  # fmt: skip
    assert told["attempts"][0].keys() >= {"started_at", "finished_at", "outcome", "error", "lateness_ms", "worker"}


def test_many_jobs_take_few_statements(
    django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]],
) -> None:
    many = [services.Planned(NOW + HOUR, subject=f"thing:{number}") for number in range(300)]
    with django_assert_max_num_queries(12):  # SQLite takes about 50 rows a statement
        assert services.schedule_many("tests.plain", many, now=NOW) == 300
    assert Job.objects.filter(due_at=NOW + HOUR, queue="default", max_attempts=3).count() == 300


def test_among_many_a_taken_live_key_is_left_out() -> None:
    holder = schedule(live_key="pin:1")
    services.schedule_many("tests.plain", [services.Planned(NOW, live_key=f"pin:{n}") for n in (1, 2)], now=NOW)
    assert list(Job.objects.order_by("live_key").values_list("live_key", "due_at")) == [
        ("pin:1", holder.due_at), ("pin:2", NOW),
    ]  # fmt: skip


def test_one_bad_time_among_many_writes_none() -> None:
    planned = [services.Planned(NOW), services.Planned(NOW.replace(tzinfo=None))]
    with pytest.raises(ValueError, match="time zone"):
        services.schedule_many("tests.plain", planned, now=NOW)
    assert not Job.objects.exists()
