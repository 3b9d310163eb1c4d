"""The queues' page: what waits, how fast, and the lever that stops one; and what takes more than a yes of many jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from locks.plan import REVOKE
from reservations.models import Accommodation, Reservation
from scheduler import clock, queues
from scheduler.models import Job, JobAttempt, Queue
from smartlock.admin_site import among_jobs
from smartlock.audit.models import AuditLog
from tests.admin.house import make_house
from tests.admin.test_steering import JOBS, a_job, act

QUEUES = reverse("admin:scheduler_queue_changelist")
PINS = reverse("admin:scheduler_queue_change", args=["pins"])
PORTUGUESE = {"accept-language": "pt-br"}


@pytest.fixture
def stay(db: None) -> Reservation:
    return make_house(1, clock.now())[0]


def press(client: Client, name: str, row: Any, **words: Any) -> Any:
    """A button on a row's own page, with its dialog filled in."""
    page = reverse(f"admin:scheduler_{row._meta.model_name}_{name}", args=[row.pk])
    return client.post(page, {"_form_submitted": "True", **words})


def fill_in(client: Client, action: str, *jobs: Job, **words: Any) -> tuple[str, str]:
    """Choose jobs, run an action that asks, fill in its page. Returns the page and what the operator is told."""
    chosen: dict[str, Any] = {"action": action, "index": "0", "_selected_action": [job.pk for job in jobs]}
    asked = client.post(JOBS, chosen)
    assert asked.status_code == 200
    response = client.post(JOBS, {**chosen, "select_across": "0", "_form_submitted": "True", **words})
    told = [str(message) for message in get_messages(response.wsgi_request)]
    return asked.content.decode(), told[-1] if told else response.content.decode()


# --- queues ---------------------------------------------------------------------------------------------------------


def test_the_list_counts_and_says_who_paused_when(operator: Client, stay: Reservation) -> None:
    page = operator.get(QUEUES).content.decode()
    assert "at work" in page
    assert "10 per second" in page
    queues.pause("pins", now=datetime(2026, 3, 5, 12, 0, tzinfo=UTC), actor="ana")
    page = operator.get(QUEUES).content.decode()
    assert "by ana" in page
    assert "2026-03-05 12:00:00 UTC" in page
    assert "por ana" in operator.get(QUEUES, headers=PORTUGUESE).content.decode()


def test_pausing_asks_first_and_shows_the_other_lever_afterwards(operator: Client, stay: Reservation) -> None:
    queue = Queue.objects.get(name="pins")
    pause = reverse("admin:scheduler_queue_pause_here", args=["pins"])
    assert b"Start no job of this queue" in operator.get(pause).content
    assert queues.paused() == set()
    assert pause in operator.get(PINS).content.decode()
    assert press(operator, "pause_here", queue).headers["HX-Redirect"] == PINS
    assert queues.paused() == {"pins"}
    page = operator.get(PINS).content.decode()
    assert pause not in page
    assert press(operator, "resume_here", queue).headers["HX-Redirect"] == PINS
    assert queues.paused() == set()
    assert set(AuditLog.objects.filter(action__startswith="queue.").values_list("actor", flat=True)) == {"olga"}


def test_several_are_paused_from_the_list(operator: Client, stay: Reservation) -> None:
    pins, sync = Queue.objects.get(name="pins"), Queue.objects.get(name="sync")
    assert act(operator, QUEUES, "pause", pins, sync) == "2 queues are paused."
    assert "paused before" in act(operator, QUEUES, "pause", pins)
    assert act(operator, QUEUES, "resume", pins, sync) == "2 queues go on."


def test_a_paused_queue_is_told_on_the_overview(operator: Client, stay: Reservation) -> None:
    queues.pause("pins", now=clock.now(), actor="ana")
    page = operator.get(reverse("admin:index")).content.decode()
    assert "1 queue is paused." in page


def form(**over: Any) -> dict[str, Any]:
    return {"concurrency": 16, "rate": "", "burst": 10, "keep_done": 100_000, "keep_done_days": 30,
            "keep_failed": ""} | over  # fmt: skip


def test_pace_and_retention_are_edited_and_audited(operator: Client, stay: Reservation) -> None:
    assert operator.post(PINS, form(concurrency=4, rate="2.5", keep_failed=50)).status_code == 302
    queue = Queue.objects.get(name="pins")
    assert (queue.concurrency, queue.rate, queue.burst, queue.keep_failed) == (4, 2.5, 10, 50)
    assert AuditLog.objects.get(action="queue.changed").details == {"concurrency": 4, "rate": 2.5, "keep_failed": 50}


def test_an_edit_does_not_undo_a_pause_that_came_meanwhile(operator: Client, stay: Reservation) -> None:
    operator.get(PINS)
    queues.pause("pins", now=clock.now(), actor="ana")
    operator.post(PINS, form(concurrency=4))
    assert queues.paused() == {"pins"}


@pytest.mark.parametrize("over", [{"concurrency": 0}, {"rate": "0"}, {"rate": "-1"}, {"rate": "fast"}])
def test_nonsense_is_refused_on_the_form(operator: Client, stay: Reservation, over: dict[str, Any]) -> None:
    assert operator.post(PINS, form(**over)).status_code == 200
    assert not AuditLog.objects.filter(action="queue.changed").exists()


def test_who_may_only_look_finds_no_lever(operator: Client, stay: Reservation) -> None:
    user = User.objects.get(username="olga")
    user.user_permissions.remove(*user.user_permissions.filter(codename="change_queue"))
    page = operator.get(PINS)
    assert page.status_code == 200
    assert reverse("admin:scheduler_queue_pause_here", args=["pins"]) not in page.content.decode()
    assert press(operator, "pause_here", Queue.objects.get(name="pins")).status_code == 403
    assert operator.post(PINS, form(concurrency=1)).status_code == 403


def test_queues_are_neither_added_nor_deleted(boss: Client, stay: Reservation) -> None:
    assert boss.get(reverse("admin:scheduler_queue_add")).status_code == 403
    assert boss.post(reverse("admin:scheduler_queue_delete", args=["pins"]), {"post": "yes"}).status_code == 403


# --- jobs -----------------------------------------------------------------------------------------------------------


def test_priority_is_changed_from_the_list_and_from_the_jobs_page(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    page, told = fill_in(operator, "change_priority", job, priority=9)
    assert "1 row chosen" in page
    assert told == "1 job has a new priority."
    assert press(operator, "change_priority_here", job, priority=1).headers["HX-Redirect"]
    job.refresh_from_db()
    assert job.priority == 1
    assert AuditLog.objects.filter(action="jobs.priority_changed", actor="olga").count() == 2


def test_a_priority_out_of_range_is_asked_again(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    before = job.priority
    _page, again = fill_in(operator, "change_priority", job, priority=11)
    assert "less than or equal to 10" in again
    assert "HX-Redirect" not in press(operator, "change_priority_here", job, priority=0).headers
    job.refresh_from_db()
    assert job.priority == before


@pytest.mark.parametrize(("by", "zone"), [("property", "America/Manaus"), ("site", "America/Sao_Paulo")])
def test_a_new_time_is_by_the_clock_that_was_chosen(operator: Client, stay: Reservation, by: str, zone: str) -> None:
    Accommodation.objects.filter(pk=stay.accommodation_id).update(timezone="America/Manaus")
    job = a_job(stay)
    day = clock.now().date() + timedelta(days=3)
    _page, told = fill_in(operator, "reschedule", job, at=f"{day}T14:30", by=by)
    assert told == "1 job has a new time."
    job.refresh_from_db()
    assert job.due_at == datetime(day.year, day.month, day.day, 14, 30, tzinfo=ZoneInfo(zone))
    assert AuditLog.objects.get(action="jobs.rescheduled").actor == "olga"


def test_a_time_that_is_over_is_refused(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    _page, told = fill_in(operator, "reschedule", job, at="2020-01-01T10:00", by="site")
    assert "This time is over" in told
    job.refresh_from_db()
    assert job.due_at > clock.now()


def test_failed_jobs_are_tried_again_spread_out(operator: Client, stay: Reservation) -> None:
    job = a_job(stay, Job.State.FAILED)
    now = clock.now()
    other = Job.objects.create(kind=REVOKE, due_at=now, run_at=now, state="failed", finished_at=now)
    _page, told = fill_in(operator, "retry_spread", job, other, minutes=60)
    assert told == "2 jobs are tried again."
    first, second = sorted(Job.objects.filter(pk__in=[job.pk, other.pk]).values_list("run_at", flat=True))
    assert second - first == timedelta(minutes=30)
    assert set(Job.objects.filter(pk__in=[job.pk, other.pk]).values_list("by_hand", flat=True)) == {"olga"}


def test_all_rows_of_a_filtered_list_are_meant_when_all_were_chosen(operator: Client, stay: Reservation) -> None:
    now = clock.now()
    for _ in range(60):
        Job.objects.create(kind=REVOKE, due_at=now, run_at=now, state="failed", finished_at=now)
    shelf = f"{JOBS}?state__exact=failed"
    chosen = {"action": "retry_spread", "index": "0", "select_across": "1", "_selected_action": "1"}
    page = operator.post(shelf, chosen).content.decode()
    assert "60 rows chosen" in page
    assert page.count('name="_selected_action"') == 1
    operator.post(shelf, {**chosen, "_form_submitted": "True", "minutes": "10"})
    assert not Job.objects.filter(state="failed").exists()


def test_a_jobs_page_shows_its_progress_and_who_ran_it(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    Job.objects.filter(pk=job.pk).update(
        state="running", lease_until=clock.now(), progress=40, progress_text="14 of 35"
    )
    JobAttempt.objects.create(job=job, number=1, started_at=clock.now(), by_hand="nora")
    page = operator.get(reverse("admin:scheduler_job_change", args=[job.pk])).content.decode()
    assert "40 % 14 of 35" in page
    assert "nora" in page
    assert "running 40 %" in operator.get(JOBS).content.decode()


def test_the_shelf_is_an_entry_of_its_own(operator: Client, stay: Reservation) -> None:
    a_job(stay, Job.State.FAILED)
    page = operator.get(reverse("admin:index")).content.decode()
    assert "Failed jobs" in page
    assert f"{JOBS}?state__exact=failed" in page
    assert "Tarefas com falha" in operator.get(reverse("admin:index"), headers=PORTUGUESE).content.decode()


def test_only_the_entry_one_is_at_is_lit(operator: Client, stay: Reservation) -> None:
    def lit(page: str) -> list[bool]:
        request = operator.get(page).wsgi_request
        return [among_jobs(shelf=shelf)(request) for shelf in (False, True)]

    assert lit(JOBS) == [True, False]
    assert lit(f"{JOBS}?state__exact=failed") == [False, True]
    assert lit(QUEUES) == [False, False]
