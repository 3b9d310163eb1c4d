"""Every page opens for those who may see it, for nobody else, in a fixed number of queries, and shows no PIN."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask

from locks import sealing
from locks.models import Credential
from reservations.models import Reservation
from scheduler import clock
from scheduler.models import Job
from tests.admin.house import PIN, SECRET, make_house
from tests.builders import make_accommodation

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
STANDING = {PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule}


def url(model: type[Model], page: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def name(model: type[Model]) -> str:
    return model._meta.label


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_list_and_page_open(boss: Client, model: type[Model]) -> None:
    make_house(1, clock.now())
    assert boss.get(url(model, "changelist")).status_code == 200
    row = model._default_manager.order_by("pk").first()
    if row is not None:
        assert boss.get(url(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_every_page_opens_in_both_languages(boss: Client, language: str) -> None:
    (stay,) = make_house(1, clock.now())
    for page in (reverse("admin:index"), url(Reservation, "change", stay.pk), url(Job, "changelist")):
        assert boss.get(page, headers={"accept-language": language}).status_code == 200


def test_portuguese_is_spoken(boss: Client) -> None:
    make_house(1, clock.now())
    page = boss.get(reverse("admin:index"), headers={"accept-language": "pt-br"}).content.decode()
    assert "Chegadas" in page
    assert "Saídas" in page
    assert "Arrivals" not in page


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_strangers_are_sent_to_the_login(client: Client, db: None, model: type[Model]) -> None:
    response = client.get(url(model, "changelist"))
    assert response.status_code == 302
    assert reverse("admin:login") in response.headers["Location"]


@pytest.mark.parametrize("model", MODELS, ids=name)
def test_staff_without_permission_is_refused(newcomer: Client, model: type[Model]) -> None:
    assert newcomer.get(url(model, "changelist")).status_code == 403


def test_an_operator_sees_the_rooms_but_not_the_people(operator: Client) -> None:
    make_house(1, clock.now())
    assert operator.get(url(Job, "changelist")).status_code == 200
    assert operator.get(reverse("admin:auth_user_changelist")).status_code == 403
    page = operator.get(reverse("admin:index")).content.decode()
    assert reverse("admin:scheduler_job_changelist") in page
    assert reverse("admin:auth_user_changelist") not in page


def test_a_newcomer_gets_an_explanation_not_an_error(newcomer: Client) -> None:
    page = newcomer.get(reverse("admin:index")).content.decode()
    assert "ask an administrator" in page


@pytest.mark.parametrize("model", [m for m in MODELS if m not in STANDING], ids=name)
def test_queries_do_not_grow_with_the_rows(boss: Client, model: type[Model]) -> None:
    few = _queries(boss, url(model, "changelist"), 0)
    assert _queries(boss, url(model, "changelist"), 8) <= few + 1


def test_the_overview_takes_as_many_queries_for_twenty_stays_as_for_two(boss: Client) -> None:
    index = reverse("admin:index")
    few = _queries(boss, index, 0)
    assert _queries(boss, index, 18) == few


def test_a_stays_page_takes_as_many_queries_whatever_happened(boss: Client) -> None:
    (stay,) = make_house(1, clock.now())
    page = url(Reservation, "change", stay.pk)
    few = _queries(boss, page, 0)
    job = Job.objects.filter(subject=stay.subject)[0]
    for number in range(20):
        job.attempts.create(number=number, started_at=clock.now())
    assert _queries(boss, page, 0) == few


def _queries(client: Client, page: str, more: int) -> int:
    """How many a page takes after ``more`` stays beside the two that are always there."""
    make_house(max(0, 2 - Reservation.objects.count()) + more, clock.now())
    client.get(page)  # content types and the like are remembered from here on
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page).status_code == 200
    return len(queries)


def test_no_page_shows_a_pin_or_a_secret(boss: Client) -> None:
    make_house(2, clock.now())
    hidden = [PIN, SECRET, "c2VjcmV0", sealing.fingerprint(PIN)]
    hidden += [row.pin_hash for row in Credential.objects.all()]
    hidden += [bytes(row.pin_sealed).decode() for row in Credential.objects.all()]
    pages = [reverse("admin:index")]
    for model in MODELS:
        pages += [url(model, "changelist")]
        pages += [url(model, "change", row.pk) for row in model._default_manager.all()[:2]]
    for page in pages:
        text = boss.get(page).content.decode()
        assert not [secret for secret in hidden if secret in text], page


def test_machines_rows_cannot_be_added_edited_or_deleted(boss: Client) -> None:
    make_house(1, clock.now())
    for model in ("scheduler.Job", "locks.Credential", "webhooks.WebhookEvent", "webhooks.Refusal", "audit.AuditLog",
                  "scheduler.Heartbeat", "django_celery_results.TaskResult", "notifications.Message",
                  "notifications.Notice"):  # fmt: skip
        page = next(m for m in MODELS if m._meta.label == model)
        row = page._default_manager.first()
        assert row is not None
        assert boss.get(url(page, "add")).status_code == 403
        assert boss.post(url(page, "change", row.pk), {}).status_code == 403
        assert boss.post(url(page, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_times_are_the_propertys_with_utc_on_hover(boss: Client) -> None:
    unit = make_accommodation(timezone="America/Manaus")
    (stay,) = make_house(1, clock.now())
    Reservation.objects.filter(pk=stay.pk).update(accommodation=unit)
    page = boss.get(url(Reservation, "changelist")).content.decode()
    assert re.search(r'title="\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"', page)
    assert "Manaus" in page


def test_an_event_shows_its_body_and_hides_its_signature(boss: Client) -> None:
    make_house(1, clock.now())
    event = next(m for m in MODELS if m._meta.label == "webhooks.WebhookEvent")
    row = event._default_manager.first()
    assert row is not None
    page = boss.get(url(event, "change", row.pk)).content.decode()
    assert "&quot;payload&quot;: {" in page
    assert "got" in page
    assert "•••" in page
