"""What operators and scripts get from the job commands: shape, exit code, effect."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from locks.plan import GENERATE, REVOKE
from reservations.models import Reservation
from scheduler import clock
from scheduler.models import Heartbeat, Job, JobAttempt
from scheduler.services import schedule
from smartlock.audit.models import AuditLog
from tests.builders import make_accommodation, make_lock, make_reservation
from tests.commands.run import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def stay() -> Reservation:
    """A stay of three days that begins tomorrow, in a unit with one lock: two jobs."""
    unit = make_accommodation()
    make_lock(unit)
    today = clock.now().date()
    return make_reservation(
        unit,
        facts_at=clock.now(),
        check_in_date=today + timedelta(days=2),
        check_out_date=today + timedelta(days=5),
        short_id="EV77J",
    )


def failed_job(kind: str = GENERATE, subject: str = "", days_ago: int = 0) -> Job:
    now = clock.now()
    job = schedule(kind, due_at=now, now=now, subject=subject)
    ended = now - timedelta(days=days_ago)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=ended, last_error="No battery.")
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("name", ["short_id", "external_id", "pk"])
def test_job_status_by_any_name(stay: Reservation, name: str) -> None:
    job = Job.objects.get(kind=GENERATE)
    JobAttempt.objects.create(job=job, number=1, started_at=clock.now(), worker="w1", lateness_ms=12)
    answer = run("job_status", str(getattr(stay, name)), "--json")
    assert answer.code == 0
    assert [job["kind"] for job in answer.json] == [GENERATE, REVOKE]
    wanted = {"id", "kind", "state", "run_at", "attempt", "max_attempts", "priority", "delay_seconds", "last_error"}
    assert set(answer.json[0]) >= wanted | {"attempts"}
    assert set(answer.json[0]["attempts"][0]) == {
        "started_at", "finished_at", "outcome", "error", "lateness_ms", "worker"
    }  # fmt: skip


def test_job_status_for_people(stay: Reservation) -> None:
    answer = run("job_status", "EV77J")
    assert answer.code == 0
    assert "locks.generate_pin" in answer.out
    assert "America/Sao_Paulo" in answer.out
    assert "100000" not in answer.out


def test_job_status_says_who_had_a_try_made_before_its_time(stay: Reservation) -> None:
    job = Job.objects.get(kind=GENERATE)
    for number, asker in ((1, ""), (2, "olga")):
        JobAttempt.objects.create(
            job=job, number=number, started_at=clock.now(), worker="w1", lateness_ms=12, by_hand=asker
        )
    own, asked = run("job_status", "EV77J", "--json").json[0]["attempts"]
    assert ("by_hand" in own, asked["by_hand"]) == (False, "olga")
    assert "2 by olga" in run("job_status", "EV77J").out


def test_unknown_reservation_is_one_sentence_and_code_one() -> None:
    for command in ("job_status", "cancel_jobs"):
        answer = run(command, "nobody")
        assert answer.code == 1
        assert "'nobody'" in answer.out
        assert answer.out.count("\n") == 0


def test_cancel_jobs(stay: Reservation) -> None:
    assert run("cancel_jobs", "EV77J", "--dry-run", "--json").json["cancelled"] == 0
    assert Job.objects.filter(state=Job.State.SCHEDULED).count() == 2
    answer = run("cancel_jobs", "EV77J", "--json")
    assert answer.code == 0
    assert answer.json["cancelled"] == 2
    assert Job.objects.filter(state=Job.State.CANCELLED).count() == 2
    assert AuditLog.objects.filter(action="jobs.cancelled", actor="command").exists()
    assert run("cancel_jobs", "EV77J").code == 1


def test_list_jobs_filters(stay: Reservation) -> None:
    failed = failed_job()
    assert len(run("list_jobs", "--json").json) == 3
    assert [job["id"] for job in run("list_jobs", "--state", "failed", "--json").json] == [failed.pk]
    assert len(run("list_jobs", "--kind", REVOKE, "--json").json) == 1
    assert len(run("list_jobs", "--subject", stay.subject, "--queue", "pins", "--json").json) == 2
    assert "… and 2 more" in run("list_jobs", "--limit", "1").out
    assert run("list_jobs", "--queue", "sync").out == "No jobs fit.\n"


def test_list_jobs_is_a_table_with_aligned_columns(stay: Reservation) -> None:
    head, *rows = run("list_jobs").out.splitlines()
    at = head.index("KIND")
    assert all(row[at:].startswith("locks.") for row in rows)


def test_retry_jobs(stay: Reservation) -> None:
    one, other = failed_job(), failed_job(REVOKE, stay.subject)
    assert run("retry_jobs").code == 2
    assert run("retry_jobs", "--reservation", "EV77J", "--dry-run", "--json").json["jobs"] == [other.pk]
    assert run("retry_jobs", str(one.pk), "--json").json == {"dry_run": False, "retried": 1, "jobs": [one.pk]}
    one.refresh_from_db()
    assert one.state == Job.State.SCHEDULED
    assert run("retry_jobs", "--kind", GENERATE).code == 1
    assert run("retry_jobs", "--all").code == 0
    assert run("retry_jobs", "--all").code == 1


def test_clear_failed_jobs() -> None:
    failed_job(days_ago=3)
    failed_job()
    assert run("clear_failed_jobs", "--dry-run", "--json").json == {"dry_run": True, "found": 2, "cleared": 0}
    assert run("clear_failed_jobs", "--older-than", "2", "--json").json["cleared"] == 1
    assert run("clear_failed_jobs", "--older-than", "-1").code == 2
    assert run("clear_failed_jobs").code == 0
    assert not Job.objects.exists()
    assert run("clear_failed_jobs").code == 0


def test_queue_health_tells_by_its_exit_code() -> None:
    assert run("queue_health").code == 2
    Heartbeat.objects.create(name="dispatcher", beat_at=clock.now())
    answer = run("queue_health", "--json")
    assert (answer.code, answer.json["status"]) == (0, "healthy")
    failed_job()
    assert run("queue_health").code == 1


def test_jobs_of_a_kind_or_a_queue_are_called_off(stay: Reservation) -> None:
    other = make_reservation(stay.accommodation, facts_at=clock.now(), check_in_date=stay.check_out_date,
                             check_out_date=stay.check_out_date + timedelta(days=1))  # fmt: skip
    assert run("cancel_jobs").code == 2
    told = run("cancel_jobs", "--queue", "pins", "--dry-run")
    assert "4 jobs would be called off" in told.out
    assert run("cancel_jobs", "--kind", GENERATE, "--dry-run", "--json").json["found"] == 2
    assert run("cancel_jobs", "EV77J", "--kind", REVOKE, "--json").json["cancelled"] == 1
    answer = run("cancel_jobs", "--kind", REVOKE, "--queue", "pins", "--json").json
    assert (answer["reservation"], answer["cancelled"]) == (None, 1)
    assert Job.objects.get(state="cancelled", subject=other.subject).kind == REVOKE
    assert run("cancel_jobs", "--queue", "sync").code == 1


def test_many_called_off_are_counted_not_listed(stay: Reservation) -> None:
    now = clock.now()
    Job.objects.bulk_create([Job(kind=GENERATE, queue="sync", due_at=now, run_at=now) for _ in range(70)])
    answer = run("cancel_jobs", "--queue", "sync")
    assert "… and 20 more." in answer.out
    assert "70 jobs called off." in answer.out


def test_retries_are_spread_over_minutes(stay: Reservation) -> None:
    jobs = [failed_job() for _ in range(4)]
    for nonsense in ("0", "-1", "nan", "20000"):
        assert run("retry_jobs", "--all", "--spread", nonsense).code == 2
    assert "Tried again: 4 jobs, over 20 minutes." in run("retry_jobs", "--all", "--spread", "20").out
    times = sorted(Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("run_at", flat=True))
    assert {later - sooner for sooner, later in itertools.pairwise(times)} == {timedelta(minutes=5)}


def test_a_queue_is_paused_and_resumed() -> None:
    Heartbeat.objects.create(name="dispatcher", beat_at=clock.now())
    answer = {"queue": "pins", "dry_run": False, "paused": True, "changed": True, "due": 0}
    assert run("pause_queue", "pins", "--json").json == answer
    again = run("pause_queue", "pins")
    assert (again.code, "paused already, by command" in again.out) == (0, True)
    health = run("queue_health")
    assert health.code == 0
    assert [line.split()[1] for line in health.out.splitlines() if line.startswith("pins")] == ["paused"]
    assert "goes on" in run("resume_queue", "pins").out
    assert "was not paused" in run("resume_queue", "pins").out
    assert AuditLog.objects.filter(action__startswith="queue.", actor="command").count() == 2


def test_a_paused_queue_in_which_due_work_waits_is_told_in_a_sentence() -> None:
    Heartbeat.objects.create(name="dispatcher", beat_at=clock.now())
    run("pause_queue", "pins")
    schedule(GENERATE, due_at=clock.now(), now=clock.now())
    health = run("queue_health")
    assert health.code == 1
    assert "The queue pins is paused since " in health.out
    assert [line.split()[1] for line in health.out.splitlines() if line.startswith("pins")] == ["unhealthy"]


def test_a_look_at_a_queue_changes_nothing() -> None:
    schedule(GENERATE, due_at=clock.now(), now=clock.now())
    seen = run("pause_queue", "pins", "--dry-run")
    assert (seen.code, "pins would be paused, with 1 job due" in seen.out) == (0, True)
    answer = {"queue": "pins", "dry_run": True, "paused": False, "changed": False, "due": 1}
    assert run("pause_queue", "pins", "--dry-run", "--json").json == answer
    assert "was not paused" in run("resume_queue", "pins", "--dry-run").out
    run("pause_queue", "pins")
    assert "pins would be resumed" in run("resume_queue", "pins", "--dry-run").out
    assert run("resume_queue", "pins", "--dry-run", "--json").json["paused"]
    assert AuditLog.objects.filter(action__startswith="queue.").count() == 1


@pytest.mark.parametrize("command", ["pause_queue", "resume_queue"])
def test_a_queue_that_does_not_exist_is_a_sentence(command: str) -> None:
    answer = run(command, "pnis")
    assert (answer.code, answer.out) == (1, "No queue is called 'pnis'; known: default, messages, pins, sync.")


def test_a_reader_that_leaves_early_ends_the_command_without_a_traceback() -> None:
    program = """
import django; django.setup()
from smartlock.management.printing import OperatorCommand
class Command(OperatorCommand):
    def handle(self, **options):
        for number in range(200_000):
            self.say(f"line {number}")
Command().run_from_argv(["manage.py", "talk"])
"""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    words = [sys.executable, "-c", program]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as talker:
        assert talker.stdout is not None
        assert talker.stderr is not None
        assert talker.stdout.readline() == "line 0\n"
        talker.stdout.close()
        assert talker.stderr.read() == ""
        assert talker.wait(30) == 141
