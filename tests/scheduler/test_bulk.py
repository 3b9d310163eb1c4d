"""Steering many jobs at once: priority, time, retry, run now; each over whatever a filter finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scheduler import publisher, services
from scheduler.models import Job
from scheduler.transitions import move
from smartlock.audit.models import AuditLog
from tests.builders import NOW
from tests.scheduler import kinds_for_tests  # noqa: F401  declares the kinds

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
Committing = Callable[..., Any]


def schedule(**over: Any) -> Job:
    values: dict[str, Any] = {"due_at": NOW + HOUR, "now": NOW} | over
    return services.schedule("tests.plain", **values)


def shelf(count: int, **over: Any) -> list[Job]:
    """So many failed jobs."""
    jobs = [schedule(**over) for _ in range(count)]
    move(Job.objects.filter(pk__in=[job.pk for job in jobs]), "fail", now=NOW, attempt=3, last_error="Broken.")
    return jobs


# --- priority -------------------------------------------------------------------------------------------------------


def test_another_priority_outdates_messages_and_announces_near_jobs_anew(
    announced: list[publisher.Message], django_capture_on_commit_callbacks: Committing
) -> None:
    near, far = schedule(due_at=NOW + timedelta(seconds=30)), schedule()
    with django_capture_on_commit_callbacks(execute=True):
        assert services.change_priority(Job.objects.all(), 1, now=NOW, actor="ana") == 2
    near.refresh_from_db()
    far.refresh_from_db()
    assert [(job.priority, job.version) for job in (near, far)] == [(1, 2), (1, 2)]
    assert (near.published_at, far.published_at) == (NOW, None)
    assert [message.priority for message in announced] == [1]
    entry = AuditLog.objects.get(action="jobs.priority_changed")
    assert (entry.actor, entry.details["count"], entry.details["priority"]) == ("ana", 2, 1)


def test_the_same_priority_and_jobs_that_are_not_waiting_stay_as_they_are() -> None:
    schedule()
    running = schedule()
    move(Job.objects.filter(pk=running.pk), "claim", now=NOW, lease_until=NOW + HOUR)
    assert services.change_priority(Job.objects.all(), 5, now=NOW) == 0
    assert services.change_priority(Job.objects.filter(pk=running.pk), 1, now=NOW) == 0
    assert not AuditLog.objects.exists()


@pytest.mark.parametrize("priority", [0, 11])
def test_a_priority_that_does_not_exist_is_refused(priority: int) -> None:
    schedule()
    with pytest.raises(ValueError, match=r"1 \(high\) to 10"):
        services.change_priority(Job.objects.all(), priority, now=NOW)


# --- time -----------------------------------------------------------------------------------------------------------


def test_a_person_who_reschedules_leaves_a_line_in_the_audit_trail() -> None:
    jobs = [schedule(), schedule()]
    assert services.reschedule(Job.objects.all(), due_at=NOW + 2 * HOUR, now=NOW, actor="ana") == 2
    entry = AuditLog.objects.get(action="jobs.rescheduled")
    assert (entry.actor, entry.details["ids"]) == ("ana", [job.pk for job in jobs])
    services.reschedule(Job.objects.all(), due_at=NOW + 3 * HOUR, now=NOW)
    assert AuditLog.objects.count() == 1


def test_run_now_and_retry_note_who_asked_until_the_time_changes_again() -> None:
    waiting, (failed,) = schedule(), shelf(1)
    services.run_now(Job.objects.filter(pk=waiting.pk), now=NOW, actor="ana")
    services.retry(Job.objects.filter(pk=failed.pk), now=NOW, actor="ben")
    assert dict(Job.objects.values_list("pk", "by_hand")) == {waiting.pk: "ana", failed.pk: "ben"}
    services.reschedule(Job.objects.all(), due_at=NOW + HOUR, now=NOW)
    assert set(Job.objects.values_list("by_hand", flat=True)) == {""}


def test_what_the_system_does_is_by_nobodys_hand() -> None:
    waiting, (failed,) = schedule(), shelf(1)
    services.run_now(Job.objects.filter(pk=waiting.pk), now=NOW)
    services.retry(Job.objects.filter(pk=failed.pk), now=NOW)
    assert set(Job.objects.values_list("by_hand", flat=True)) == {""}


# --- retry ----------------------------------------------------------------------------------------------------------


def test_a_spread_retry_lays_the_tries_evenly_over_the_time(
    announced: list[publisher.Message], django_capture_on_commit_callbacks: Committing
) -> None:
    shelf(6)
    with django_capture_on_commit_callbacks(execute=True):
        assert services.retry(Job.objects.all(), now=NOW, actor="ana", spread=6 * MINUTE) == 6
    minutes = sorted((job.run_at - NOW) / MINUTE for job in Job.objects.all())
    assert minutes == [0, 1, 2, 3, 4, 5]
    assert len(announced) == 2  # now and in a minute; the dispatcher announces the others
    assert Job.objects.filter(published_at__isnull=True).count() == 4
    assert AuditLog.objects.get(action="jobs.retried").details == {"count": 6, "spread_seconds": 360}


def test_the_most_urgent_come_first_in_a_spread() -> None:
    late = shelf(1, priority=9)[0]
    urgent = shelf(1, priority=1, due_at=NOW + 5 * HOUR)[0]
    services.retry(Job.objects.all(), now=NOW, spread=HOUR)
    urgent.refresh_from_db()
    late.refresh_from_db()
    assert (urgent.run_at, late.run_at) == (NOW, NOW + HOUR / 2)


def test_thousands_are_spread_in_a_bounded_number_of_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "STEPS", 10)
    jobs = [Job(kind="tests.plain", due_at=NOW, run_at=NOW, state="failed", finished_at=NOW) for _ in range(1005)]
    Job.objects.bulk_create(jobs)
    with CaptureQueriesContext(connection) as queries:
        assert services.retry(Job.objects.all(), now=NOW, spread=10 * MINUTE) == 1005
    assert len(queries) < 10 * 3 + 6
    per_minute = Counter(Job.objects.values_list("run_at", flat=True))
    assert sorted(per_minute) == [NOW + step * MINUTE for step in range(10)]
    assert set(per_minute.values()) == {100, 101}


def test_of_two_with_one_live_key_the_later_lives_and_the_others_are_not_held_up() -> None:
    first, second = shelf(1, live_key="pin:1")[0], shelf(1, live_key="pin:1", due_at=NOW + 2 * HOUR)[0]
    taken = shelf(1, live_key="pin:2")[0]
    schedule(live_key="pin:2")
    plain = shelf(3)
    assert services.retry(Job.objects.filter(state="failed"), now=NOW) == 4
    left = set(Job.objects.filter(state="failed"))
    assert left == {first, taken}
    assert Job.objects.filter(pk__in=[second.pk, *(job.pk for job in plain)], state="scheduled").count() == 4


def test_a_deadline_that_lies_ahead_stays_and_one_that_is_over_goes() -> None:
    ahead, over = shelf(1, expires_at=NOW + HOUR)[0], shelf(1, expires_at=NOW - HOUR)[0]
    services.retry(Job.objects.all(), now=NOW)
    ahead.refresh_from_db()
    over.refresh_from_db()
    assert (ahead.expires_at, over.expires_at) == (NOW + HOUR, None)


def test_retrying_nothing_is_nothing() -> None:
    schedule()
    assert services.retry(Job.objects.all(), now=NOW, actor="ana", spread=HOUR) == 0
    assert not AuditLog.objects.exists()
