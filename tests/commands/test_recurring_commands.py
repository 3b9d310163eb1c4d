"""Recurring jobs on the command line: the same facts as the API, and a run by hand."""

from __future__ import annotations

import pytest

from scheduler import clock
from scheduler.models import Job, RecurringJob
from scheduler.recurring import services
from smartlock.audit.models import AuditLog
from tests.commands.run import run

pytestmark = pytest.mark.django_db


def test_the_list_tells_schedule_switch_and_times() -> None:
    job = RecurringJob.objects.get(slug="read-doors")
    services.switch(job, False, now=clock.now(), actor="boss")
    lines = {line.split()[0]: line for line in run("list_recurring").out.splitlines()}
    assert "every 5 minutes" in lines["read-doors"]
    assert " off " in lines["read-doors"]
    assert "always on" in lines["scheduler-dispatch"]
    assert [row["slug"] for row in run("list_recurring", "--off", "--json").json] == ["read-doors"]


def test_the_list_is_filtered_and_may_be_empty() -> None:
    some = run("list_recurring", "--category", "maintenance", "--json").json
    assert {row["category"] for row in some} == {"maintenance"}
    assert some[0]["schedule"]["in_words"]
    empty = run("list_recurring", "--category", "maintenance", "--off")
    assert (empty.code, empty.out.strip()) == (0, "No recurring jobs fit.")


def test_a_run_by_hand_is_one_job_and_a_second_is_refused() -> None:
    answer = run("run_recurring", "read-doors", "--json")
    row = RecurringJob.objects.get(slug="read-doors").runs.get()
    assert (answer.code, answer.json["run"]["id"], answer.json["run"]["trigger"]) == (0, row.pk, "manual")
    assert Job.objects.get().pk == row.engine_job
    assert AuditLog.objects.get(action="recurring.run_now").actor == "command"
    again = run("run_recurring", "read-doors")
    assert (again.code, "at work already" in again.out) == (1, True)
    assert Job.objects.count() == 1


def test_who_cannot_be_run_is_told_so() -> None:
    unknown = run("run_recurring", "read-dors")
    assert (unknown.code, "list_recurring" in unknown.out) == (1, True)
    pulse = run("run_recurring", "scheduler-dispatch")
    assert (pulse.code, "by itself" in pulse.out) == (2, True)
    assert not Job.objects.exists()


def test_a_run_says_where_to_look() -> None:
    assert "is on its way as run" in run("run_recurring", "prune-jobs").out
