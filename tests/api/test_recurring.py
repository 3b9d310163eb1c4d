"""The verbs of recurring jobs over HTTP: that they are the services' own, and how they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scheduler.models import Job, RecurringJob
from smartlock.audit.models import AuditLog
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
NIGHTLY = {"cron": "20 3 * * *", "timezone": "America/Manaus"}


def made(api: Caller, **over: Any) -> Any:
    return api.post("recurring-jobs", {"slug": "doors-again", "target": "read-doors", "schedule": NIGHTLY} | over)


def test_the_list_has_the_products_own_and_is_filtered_by_category(api: Caller) -> None:
    everything = api.get("recurring-jobs?limit=200").json
    some = api.get("recurring-jobs?category=maintenance&limit=200").json
    assert {job["category"] for job in everything["items"]} == {"biz", "system", "maintenance"}
    assert {job["category"] for job in some["items"]} == {"maintenance"}
    assert 0 < some["total"] < everything["total"]


def test_one_that_is_made_has_its_facts_and_runs_at_its_next_time(api: Caller) -> None:
    answer = made(api, name="Doors", timeout=60, retries=1, missed="skip", description="Twice is better.")
    assert answer.status == 201
    shown = api.get("recurring-jobs/doors-again").json
    assert shown == answer.json
    assert shown["schedule"] == {
        "cron": "20 3 * * *", "every_seconds": None, "timezone": "America/Manaus", "in_words": "At 03:20",
    }  # fmt: skip
    assert shown["next_run_at"].endswith("T07:20:00Z")
    assert (shown["timeout"], shown["retries"], shown["missed"], shown["enabled"]) == (60, 1, "skip", True)
    assert AuditLog.objects.get(action="recurring.created").actor == "api:tests"
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"every_seconds": 900}, (None, 900)),
        ({"times": ["14:30", "08:30"], "weekdays": [1, 7]}, ("30 8,14 * * 0,1", None)),
    ],
)
def test_a_schedule_is_given_in_three_ways(api: Caller, schedule: Any, expected: Any) -> None:
    shown = made(api, schedule=schedule).json["schedule"]
    assert (shown["cron"], shown["every_seconds"]) == expected


@pytest.mark.parametrize("schedule", [{}, {"cron": "0 3 * * *", "every_seconds": 900}])
def test_a_schedule_that_is_nothing_or_several_things_at_once_is_a_conflict(api: Caller, schedule: Any) -> None:
    assert made(api, schedule=schedule).status == 409
    assert made(api, schedule={"cron": "nonsense"}).status == 422


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ({"target": "os.system"}, "prune-jobs"),
        ({"params": {"weeks": 1}}, "does not take"),
        ({"schedule": {"cron": "0 0 31 2 *"}}, "never comes"),
        ({"schedule": {"every_seconds": 60, "timezone": "Mars/Olympus"}, "slug": "read-doors"}, "already"),
        ({"slug": "targets"}, "the name of the list"),
        ({"schedule": {"cron": "99 * * * *"}}, "Invalid end range: 99 > 59."),
    ],
)
def test_what_cannot_be_is_a_problem_that_says_why(api: Caller, over: Any, said: str) -> None:
    before = RecurringJob.objects.count()
    answer = made(api, **over)
    assert answer.status == 409
    assert said in answer.json["detail"]
    assert not answer.json["detail"].endswith("..")
    assert answer.json["what_to_do"]
    assert RecurringJob.objects.count() == before


def test_changing_takes_only_what_is_given(api: Caller) -> None:
    before = made(api).json
    after = api.patch("recurring-jobs/doors-again", {"retries": 0}).json
    assert after == before | {"retries": 0}
    assert api.patch("recurring-jobs/doors-again", {"schedule": {"every_seconds": 60}}).json["next_run_at"]


def test_run_now_is_once_at_a_time_and_stands_in_the_history(api: Caller) -> None:
    made(api, enabled=False)
    run = api.post("recurring-jobs/doors-again/run")
    assert (run.status, run.json["trigger"], run.json["by"]) == (200, "manual", "api:tests")
    assert Job.objects.get().pk == run.json["job"]
    assert api.post("recurring-jobs/doors-again/run").status == 409
    runs = api.get("recurring-jobs/doors-again/runs?limit=1&offset=0&status=queued").json
    assert (runs["total"], runs["items"][0]["id"]) == (1, run.json["id"])
    assert api.get("recurring-jobs/doors-again/runs?status=failed").json["total"] == 0


def test_switching_off_and_on(api: Caller) -> None:
    made(api)
    off = api.post("recurring-jobs/doors-again/disable").json
    assert (off["enabled"], off["next_run_at"]) == (False, None)
    assert api.post("recurring-jobs/doors-again/disable").status == 200
    on = api.post("recurring-jobs/doors-again/enable").json
    assert on["enabled"]
    assert on["next_run_at"].endswith("T07:20:00Z")
    assert not Job.objects.exists()


def test_deleting_is_for_what_people_made(api: Caller) -> None:
    made(api)
    assert api("DELETE", "recurring-jobs/doors-again").status == 200
    assert api.get("recurring-jobs/doors-again").status == 404
    assert api("DELETE", "recurring-jobs/read-doors").status == 409
    assert api.post("recurring-jobs/scheduler-dispatch/disable").status == 409


def test_the_list_takes_as_many_queries_whatever_its_length(api: Caller, django_assert_max_num_queries: Any) -> None:
    for number in range(10):
        made(api, slug=f"doors-{number}")
    with django_assert_max_num_queries(12):
        assert api.get("recurring-jobs?limit=200").status == 200


def test_reading_takes_one_scope_and_writing_another(token_of: Callable[..., Caller]) -> None:
    reader = token_of("recurring:read")
    assert reader.get("recurring-jobs").status == 200
    assert reader.post("recurring-jobs/read-doors/run").status == 403
    assert token_of("jobs:write", name="others").get("recurring-jobs").status == 403
