"""What an operator does with recurring jobs on their pages goes through the services."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from scheduler.models import Job, RecurringJob
from scheduler.recurring import schedules
from smartlock.audit.models import AuditLog

pytestmark = pytest.mark.django_db
LIST = reverse("admin:scheduler_recurringjob_changelist")
ADD = reverse("admin:scheduler_recurringjob_add")
PREVIEW = reverse("admin:scheduler_recurringjob_preview")


def filled(**over: Any) -> dict[str, Any]:
    return {
        "slug": "doors-again", "name": "", "target": "read-doors", "params": "{}", "category": "biz",
        "description": "", "how": "times", "times": "08:30 14:30", "weekdays": ["1"], "every": "", "unit": "minutes",
        "cron": "", "timezone": "America/Manaus", "timeout": "60", "retries": "1", "missed": "skip",
    } | over  # fmt: skip


def page(slug: str) -> str:
    return reverse("admin:scheduler_recurringjob_change", args=[RecurringJob.objects.get(slug=slug).pk])


def act(client: Client, action: str, slug: str) -> None:
    pk = RecurringJob.objects.get(slug=slug).pk
    assert client.post(LIST, {"action": action, "_selected_action": [pk]}).status_code == 302


def test_the_list_says_it_in_words_and_is_filtered_by_category(boss: Client) -> None:
    shown = boss.get(LIST).content.decode()
    assert "every 15 minutes" in shown
    assert "At 03:20" in shown
    some = boss.get(LIST + "?category__exact=maintenance").content.decode()
    assert "every 15 minutes" not in some


def test_it_speaks_portuguese(boss: Client) -> None:
    shown = boss.get(LIST, headers={"accept-language": "pt-br"}).content.decode()
    assert "a cada 15 minutos" in shown
    assert "Às 03:20" in shown


def test_one_is_made_with_times_of_the_day(boss: Client) -> None:
    assert boss.post(ADD, filled()).status_code == 302
    job = RecurringJob.objects.get(slug="doors-again")
    assert job.schedule == schedules.cron("30 8,14 * * 1", "America/Manaus")
    assert (job.timeout, job.retries, job.missed) == (60, 1, "skip")
    assert AuditLog.objects.get(action="recurring.created").actor == "boss"
    assert not Job.objects.exists()
    assert boss.get(page("doors-again")).status_code == 200


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"times": "08:00 14:30"}, "share their minutes"),
        ({"how": "cron", "cron": "0 0 31 2 *"}, "never comes"),
        ({"how": "interval", "every": ""}, "10 to"),
        ({"params": '{"weeks": 1}'}, "does not take"),
        ({"params": "[]"}, "between braces"),
        ({"slug": "read-doors"}, "already exists"),
    ],
)
def test_what_is_wrong_comes_back_as_a_sentence(boss: Client, over: dict[str, Any], said: str) -> None:
    before = RecurringJob.objects.count()
    response = boss.post(ADD, filled(**over))
    assert response.status_code == 200
    assert said in response.content.decode()
    assert RecurringJob.objects.count() == before


def test_editing_keeps_the_short_name_and_moves_the_next_run(boss: Client) -> None:
    boss.post(ADD, filled())
    over = {"slug": "other", "how": "interval", "every": "2", "unit": "hours", "retries": "3"}
    assert boss.post(page("doors-again"), filled(**over)).status_code == 302
    job = RecurringJob.objects.get(slug="doors-again")
    assert (job.schedule, job.retries) == (schedules.every(7200), 3)
    assert not Job.objects.exists()


def test_the_preview_tells_five_times_and_saves_nothing(boss: Client, newcomer: Client) -> None:
    told = boss.post(PREVIEW, filled(how="cron", cron="20 3 * * *")).content.decode()
    assert told.count("<li>") == 5
    assert "At 03:20" in told
    assert "never comes" in boss.post(PREVIEW, filled(how="cron", cron="0 0 31 2 *")).content.decode()
    assert not RecurringJob.objects.filter(slug="doors-again").exists()
    assert newcomer.post(PREVIEW, filled()).status_code == 403


def test_switching_and_running_by_hand(boss: Client) -> None:
    act(boss, "switch_off", "read-doors")
    assert not RecurringJob.objects.get(slug="read-doors").enabled
    act(boss, "switch_on", "read-doors")
    assert not Job.objects.exists()
    act(boss, "run_now", "read-doors")
    run = RecurringJob.objects.get(slug="read-doors").runs.get()
    assert (run.trigger, run.by, run.engine_job) == ("manual", "boss", Job.objects.get().pk)
    runs = reverse("admin:scheduler_recurringrun_changelist")
    everything, others = (boss.get(runs + query).content.decode() for query in ("", "?status__exact=failed"))
    assert everything.count("boss") > others.count("boss")


def lever(slug: str) -> str:
    return reverse("admin:scheduler_recurringjob_switch", args=[RecurringJob.objects.get(slug=slug).pk])


def test_the_switch_in_the_row_says_the_position_and_goes_back_to_the_list(boss: Client) -> None:
    shown = boss.get(LIST).content.decode()
    assert f'formaction="{lever("read-doors")}" name="on" value="0"' in shown
    assert "scheduler-dispatch" in shown
    assert lever("scheduler-dispatch") not in shown  # the pulse has none
    filtered = f"{LIST}?category__exact=biz"
    for _twice in range(2):
        assert boss.post(lever("read-doors"), {"on": "0", "next": filtered}).headers["Location"] == filtered
        assert not RecurringJob.objects.get(slug="read-doors").enabled
    assert AuditLog.objects.filter(action="recurring.disabled").count() == 1
    assert boss.post(lever("read-doors"), {"on": "1", "next": "https://evil.example/"}).headers["Location"] == LIST
    assert RecurringJob.objects.get(slug="read-doors").enabled
    assert not Job.objects.exists()


def test_the_switch_is_for_those_who_may_and_for_posts_of_our_own_pages(operator: Client) -> None:
    assert lever("read-doors") not in operator.get(LIST).content.decode()
    assert operator.post(lever("read-doors"), {"on": "0"}).status_code == 403
    strict, boss = Client(enforce_csrf_checks=True), User.objects.create_superuser("chief")
    strict.force_login(boss)
    assert strict.get(lever("read-doors")).status_code == 405
    assert strict.post(lever("read-doors"), {"on": "0"}).status_code == 403
    assert RecurringJob.objects.get(slug="read-doors").enabled


def test_the_pulse_of_the_engine_is_shown_and_not_edited(boss: Client) -> None:
    act(boss, "switch_off", "scheduler-dispatch")
    assert RecurringJob.objects.get(slug="scheduler-dispatch").enabled
    assert boss.post(page("scheduler-dispatch"), filled()).status_code == 403
    assert "pulse" in boss.get(page("scheduler-dispatch")).content.decode()


def test_who_may_only_look_sees_it_without_a_form(operator: Client) -> None:
    shown = operator.get(page("read-doors"))
    assert shown.status_code == 200
    assert 'name="cron"' not in shown.content.decode()
