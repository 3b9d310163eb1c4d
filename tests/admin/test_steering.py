"""Actions do what they say, tell how many, and leave a line in the audit trail."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from locks.models import Credential, Withdrawal
from locks.plan import GENERATE, REVOKE
from notifications.models import Notice
from reservations.models import Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.admin.house import make_house
from webhooks.models import WebhookEvent

JOBS = reverse("admin:scheduler_job_changelist")
STAYS = reverse("admin:reservations_reservation_changelist")
CREDENTIALS = reverse("admin:locks_credential_changelist")
EVENTS = reverse("admin:webhooks_webhookevent_changelist")
NOTICES = reverse("admin:notifications_notice_changelist")


@pytest.fixture
def stay(db: None) -> Reservation:
    return make_house(1, clock.now())[0]


def act(client: Client, page: str, action: str, *rows: Any) -> str:
    """Choose rows in a list, run an action, say yes if it asks; returns what the operator is told."""
    response = client.post(
        page, {"action": action, "_selected_action": [row.pk for row in rows], "_form_submitted": "True"}
    )
    assert response.status_code in (200, 302), response.status_code
    told = [str(message) for message in get_messages(response.wsgi_request)]
    return told[-1] if told else ""


def a_job(stay: Reservation, state: str = "scheduled") -> Job:
    job = Job.objects.filter(subject=stay.subject, kind=REVOKE).order_by("-pk")[0]
    if state == Job.State.FAILED:
        Job.objects.filter(pk=job.pk).update(state=state, finished_at=clock.now(), last_error="Gone.")
    job.refresh_from_db()
    return job


def test_cancel(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    assert act(operator, JOBS, "cancel", job) == "1 job was called off."
    job.refresh_from_db()
    assert (job.state, job.last_error) == (Job.State.CANCELLED, "Called off by olga.")
    assert AuditLog.objects.filter(action="jobs.cancelled", actor="olga").exists()
    assert "nothing to call off" in act(operator, JOBS, "cancel", job)


def test_retry(operator: Client, stay: Reservation) -> None:
    job = a_job(stay, Job.State.FAILED)
    assert act(operator, JOBS, "retry", job) == "1 job is tried again."
    job.refresh_from_db()
    assert job.state == Job.State.SCHEDULED
    assert "Only failed or cancelled" in act(operator, JOBS, "retry", job)


def test_run_now(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    assert job.run_at > clock.now()
    assert act(operator, JOBS, "run_now", job) == "1 job runs now."
    job.refresh_from_db()
    assert job.run_at <= clock.now()


def test_clear_failed_clears_nothing_else(operator: Client, stay: Reservation) -> None:
    failed = a_job(stay, Job.State.FAILED)
    others = Job.objects.exclude(pk=failed.pk)
    count = others.count()
    assert act(operator, JOBS, "clear_failed", failed, *others) == "1 failed job was cleared."
    assert others.count() == count
    assert not Job.objects.filter(pk=failed.pk).exists()


def test_a_stays_jobs_are_cancelled_and_planned_again(operator: Client, stay: Reservation) -> None:
    live = Job.objects.filter(subject=stay.subject, state__in=Job.LIVE)
    count = live.count()
    assert f"{count} job" in act(operator, STAYS, "cancel_jobs", stay)
    assert not live.exists()
    assert act(operator, STAYS, "replan", stay) == "1 stay was planned again."
    assert live.filter(kind=REVOKE).exists()


@pytest.mark.parametrize("page", [STAYS, CREDENTIALS])
def test_revoked_now_and_let_in_again(operator: Client, stay: Reservation, page: str) -> None:
    row = stay if page == STAYS else Credential.objects.get()
    assert act(operator, page, "revoke_now", row) == "1 PIN is being taken off its door."
    assert Credential.objects.get().wanted is False
    assert Job.objects.filter(kind=REVOKE, state=Job.State.SCHEDULED, run_at__lte=clock.now()).exists()
    assert Withdrawal.objects.get().actor == "olga"
    assert act(operator, STAYS, "readmit", stay) == "1 stay gets a new PIN."
    assert Job.objects.filter(kind=GENERATE, state=Job.State.SCHEDULED).exists()
    assert "No PIN had been revoked" in act(operator, STAYS, "readmit", stay)


def test_replay(operator: Client, stay: Reservation) -> None:
    event = WebhookEvent.objects.get()
    assert act(operator, EVENTS, "replay", event) == "1 event is processed again."
    event.refresh_from_db()
    assert event.state == WebhookEvent.State.RECEIVED
    assert Job.objects.filter(kind="webhooks.sort_inbox").exists()


@pytest.fixture
def days(stay: Reservation) -> list[int]:
    """Events of four days in March at noon by the site's clock, and the house's own of today."""
    noon = datetime(2026, 3, 5, 12, tzinfo=ZoneInfo(settings.TIME_ZONE))
    return [
        WebhookEvent.objects.create(
            action="reservation.modified", external_id=f"E{day}", dedupe_key=f"E{day}", verification="unverifiable",
            body=b"{}", state="processed", received_at=noon + timedelta(days=day),
        ).pk
        for day in range(4)
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "pt-br"])
@pytest.mark.parametrize(
    ("start", "start_at", "end", "end_at", "meant"),
    [
        (date(2026, 3, 6), "", date(2026, 3, 7), "", [1, 2]), (date(2026, 3, 6), "12:30", None, "", [2, 3]),
        (None, "", date(2026, 3, 6), "11:00", [0]), (None, "", None, "", [0, 1, 2, 3]),
    ],
)  # fmt: skip
def test_all_events_of_a_range_of_time_are_replayed(
    operator: Client, days: list[int], language: str, start: date | None, start_at: str, end: date | None, end_at: str,
    meant: list[int],
) -> None:  # fmt: skip
    operator.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    written = "%m/%d/%Y" if language == "en" else "%d/%m/%Y"
    chosen = urlencode(
        {
            "received_at_from_0": f"{start:{written}}" if start else "", "received_at_from_1": start_at,
            "received_at_to_0": f"{end:{written}}" if end else "", "received_at_to_1": end_at,
            "state__exact": "processed",
        }
    )  # fmt: skip
    asked = {"action": "replay", "_selected_action": days[meant[0]], "select_across": "1", "_form_submitted": "True"}
    assert operator.post(f"{EVENTS}?{chosen}", asked).status_code == 302
    assert list(
        WebhookEvent.objects.filter(pk__in=days, state="received").values_list("pk", flat=True).order_by("pk")
    ) == [days[index] for index in meant]


@pytest.mark.usefixtures("days")
@pytest.mark.parametrize("odd", ["from_0=soon", "to_1=10:00", "from_0=2026-03-06&received_at_from_1=25:00"])
def test_a_range_of_time_that_cannot_be_read_means_no_event_instead_of_all(operator: Client, odd: str) -> None:
    page = operator.get(f"{EVENTS}?received_at_{odd}")
    assert page.context["cl"].result_count == 0


def test_notices_are_marked_as_seen(operator: Client, stay: Reservation) -> None:
    notice = Notice.objects.get(code="door_far")
    assert act(operator, NOTICES, "mark_seen", notice) == "1 notice is marked as seen."
    notice.refresh_from_db()
    assert notice.seen_by is not None
    assert "already" in act(operator, NOTICES, "mark_seen", notice)


def test_a_button_asks_before_it_acts(operator: Client, stay: Reservation) -> None:
    job = a_job(stay)
    page = reverse("admin:scheduler_job_cancel_here", args=[job.pk])
    assert b"Call off?" in operator.get(page).content
    job.refresh_from_db()
    assert job.state == Job.State.SCHEDULED
    response = operator.post(page, {"_form_submitted": "True"})
    assert response.headers["HX-Redirect"] == reverse("admin:scheduler_job_change", args=[job.pk])
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_buttons_need_a_token(stay: Reservation, operator: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    page = reverse("admin:scheduler_job_cancel_here", args=[a_job(stay).pk])
    assert strict.post(page, {"_form_submitted": "True"}).status_code == 403


def test_who_may_only_look_cannot_act(operator: Client, stay: Reservation) -> None:
    from django.contrib.auth.models import User

    user = User.objects.get(username="olga")
    user.user_permissions.remove(*user.user_permissions.filter(codename__startswith="change_"))
    job = a_job(stay)
    assert act(operator, JOBS, "cancel", job) == ""
    job.refresh_from_db()
    assert job.state == Job.State.SCHEDULED
    assert (
        operator.post(
            reverse("admin:scheduler_job_cancel_here", args=[job.pk]), {"_form_submitted": "True"}
        ).status_code
        == 403
    )
    act(operator, STAYS, "revoke_now", stay)
    assert not Withdrawal.objects.exists()


def test_the_overview_says_what_needs_a_person(operator: Client, stay: Reservation) -> None:
    a_job(stay, Job.State.FAILED)
    Job.objects.filter(state=Job.State.SCHEDULED).update(run_at=clock.now() - timedelta(hours=1))
    Credential.objects.update(alarmed_at=clock.now())
    page = operator.get(reverse("admin:index")).content.decode()
    for sentence in ("1 job has failed.", "overdue.", "1 event is parked.", "1 door needs a person.", "unread."):
        assert sentence in page
    assert "Ana Teste" in page
    assert "Its PIN goes when the stay is over." in page
