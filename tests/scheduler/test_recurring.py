"""The life of a recurring job: switched, knocked for, missed, run by hand, stopped; its history says so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from scheduler import services as engine
from scheduler.errors import Retry, Stop, Superseded
from scheduler.models import Job, RecurringJob, RecurringRun
from scheduler.recurring import process, schedules, services, targets
from scheduler.recurring.child import perform
from scheduler.recurring.errors import AlreadyRunning, BadParams, BadValue, Protected, UnknownTarget
from scheduler.recurring.execution import TimedOut
from scheduler.recurring.runs import settle
from scheduler.recurring.standing import ensure_recurring
from scheduler.runner import Run
from smartlock.audit.models import AuditLog
from tests.engine import TimeMachine, time_machine_at

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
EVERY_HOUR = schedules.every(3600)
HOUR = timedelta(hours=1)
calls: list[Any] = []


class Limit(targets.Params):
    days: int = 7


@targets.recurring("tests.count", title="Count", category="biz", params=Limit)
def count(call: targets.Call) -> None:
    calls.append(call.params.days)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Run, float], None]], None]:
    """Runs are performed in this process, by the target itself or by what a test wants instead."""
    calls.clear()

    def use(instead: Callable[[Run, float], None]) -> None:
        monkeypatch.setattr(process, "perform", instead)

    use(lambda run, seconds: perform(run))
    return use


@pytest.fixture
def time() -> Iterator[TimeMachine]:
    with time_machine_at(NOON) as machine:
        PeriodicTask.objects.all().delete()  # the product's own
        yield machine


def make(slug: str = "counting", **other: Any) -> RecurringJob:
    facts: dict[str, Any] = {"target": "tests.count", "schedule": EVERY_HOUR, "now": NOON, "actor": "tests"} | other
    return services.create(slug, **facts)


def runs(job: RecurringJob) -> list[tuple[str, str]]:
    return list(job.runs.order_by("id").values_list("trigger", "status"))


def outcomes(time: TimeMachine) -> list[str]:
    """Of the tries of the next hour."""
    return [outcome for kind, outcome in time.until(time.now + HOUR) if kind == services.RUN]


def fail(error: Exception) -> Callable[[Run, float], None]:
    def raising(run: Run, seconds: float) -> None:
        raise error

    return raising


def test_a_new_job_first_runs_at_its_next_time(time: TimeMachine) -> None:
    job = make()
    assert services.start_due(now=time.now) == 0
    time.forward(NOON + HOUR)
    assert services.start_due(now=time.now, slug="counting") == 1
    time.until(time.now)
    job.refresh_from_db()
    assert calls == [7]
    assert runs(job) == [("scheduled", "succeeded")]
    assert (job.last_status, job.runs_total, job.runs_failed) == ("succeeded", 1, 0)
    assert job.next_run_at == NOON + 2 * HOUR


def test_of_two_knocks_one_starts_it(time: TimeMachine) -> None:
    make()
    time.forward(NOON + HOUR)
    assert [services.start_due(now=time.now), services.start_due(now=time.now)] == [1, 0]


def test_a_knock_before_its_time_does_nothing(time: TimeMachine) -> None:
    make()
    time.forward(NOON + HOUR - timedelta(seconds=1))
    assert services.start_due(now=time.now, slug="counting") == 0


def test_switching_on_never_starts_it_at_once(time: TimeMachine) -> None:
    job = make()
    services.switch(job, False, now=time.now, actor="olga")
    assert job.next_run_at is None
    time.forward(NOON + 5 * HOUR)
    assert services.start_due(now=time.now) == 0
    assert services.switch(job, True, now=time.now, actor="olga")
    assert services.start_due(now=time.now) == 0
    assert job.next_run_at == NOON + 6 * HOUR
    assert not services.switch(job, True, now=time.now, actor="olga")
    actions = AuditLog.objects.filter(actor="olga").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["recurring.disabled", "recurring.enabled"]


def test_another_schedule_never_starts_it_at_once(time: TimeMachine) -> None:
    job = make(schedule=schedules.cron("0 20 * * *", "UTC"))
    services.change(job, schedule=schedules.cron("0 3 * * *", "UTC"), now=time.now, actor="olga")
    assert services.start_due(now=time.now) == 0
    assert job.next_run_at == datetime(2026, 3, 6, 3, tzinfo=UTC)


@pytest.mark.parametrize(("missed", "expected"), [("once", ["succeeded"]), ("skip", ["skipped"])])
def test_what_was_missed_follows_the_rule(time: TimeMachine, missed: str, expected: list[str]) -> None:
    job = make(missed=missed)
    time.forward(NOON + 5 * HOUR + timedelta(minutes=10))
    services.start_due(now=time.now)
    time.until(time.now)
    assert [status for _trigger, status in runs(job)] == expected
    job.refresh_from_db()
    assert job.next_run_at == NOON + 6 * HOUR


def test_two_runs_of_one_job_never_overlap(time: TimeMachine) -> None:
    job = make()
    services.run_now(job, now=time.now, actor="olga")
    with pytest.raises(AlreadyRunning):
        services.run_now(job, now=time.now, actor="olga")
    time.forward(NOON + HOUR)
    services.start_due(now=time.now)
    assert Job.objects.filter(subject=job.subject, state="scheduled").count() == 1
    assert runs(job)[-1] == ("scheduled", "skipped")


def test_a_run_by_hand_says_by_whom_and_needs_no_switch(time: TimeMachine) -> None:
    job = make(enabled=False)
    run = services.run_now(job, now=time.now, actor="olga")
    time.until(time.now)
    run.refresh_from_db()
    assert (run.trigger, run.by, run.status) == ("manual", "olga", "succeeded")


def test_it_is_tried_again_as_often_as_it_says(time: TimeMachine, here: Any) -> None:
    here(fail(Retry("Stays is away.")))
    job = make(retries=2)
    services.run_now(job, now=time.now, actor="olga")
    assert outcomes(time) == ["retry", "retry", "failed"]
    job.refresh_from_db()
    assert (job.last_status, job.runs_failed, job.last_error) == ("failed", 1, "Stays is away.")
    assert Job.objects.get(subject=job.subject).max_attempts == 3


def test_a_run_past_its_time_limit_is_recorded_as_failed_and_not_tried_again(time: TimeMachine, here: Any) -> None:
    here(fail(TimedOut("It took longer than its 5 seconds and was stopped.")))
    job = make(timeout=5)
    services.run_now(job, now=time.now, actor="olga")
    assert outcomes(time) == ["failed"]
    assert "5 seconds" in job.runs.get().error


def test_a_newer_run_takes_the_older_failure_off_the_shelf(time: TimeMachine, here: Any) -> None:
    here(fail(Stop("It cannot be done.")))
    job = make()
    for _ in range(2):
        services.run_now(job, now=time.now, actor="olga")
        time.until(time.now)
    assert Job.objects.filter(subject=job.subject, state="failed").count() == 1
    assert [status for _trigger, status in runs(job)] == ["failed", "failed"]


def test_a_run_that_was_called_off_is_settled(time: TimeMachine) -> None:
    job = make()
    services.run_now(job, now=time.now, actor="olga")
    assert settle(now=time.now) == 0
    engine.cancel(services.engine_jobs(job), now=time.now, reason="Not today.")
    assert settle(now=time.now) == 1
    assert (job.runs.get().status, job.runs.get().error) == ("cancelled", "Not today.")


def test_a_run_that_was_done_before_its_worker_died_is_not_done_again(time: TimeMachine) -> None:
    job = make()
    run = services.run_now(job, now=time.now, actor="olga")
    RecurringRun.objects.filter(pk=run.pk).update(status="succeeded")
    time.until(time.now)
    assert calls == []


def test_a_target_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UnknownTarget, match="prune-jobs"):
        make(target="os.system")


@pytest.mark.parametrize("params", [{"weeks": 1}, {"days": "7"}, {"days": None}])
def test_params_that_the_target_does_not_take_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(BadParams, match="days"):
        make(params=params)


@pytest.mark.parametrize("facts", [{"timeout": 0}, {"timeout": 10**6}, {"retries": -1}, {"retries": 11}])
def test_values_out_of_bounds_are_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(BadValue):
        make(**facts)


def test_a_slug_is_given_once(time: TimeMachine) -> None:
    make()
    with pytest.raises(BadValue, match="already"):
        make()


def test_deleting_takes_the_history_and_calls_off_what_waits(time: TimeMachine) -> None:
    job = make()
    services.run_now(job, now=time.now, actor="olga")
    services.delete(job, now=time.now, actor="olga")
    assert not RecurringRun.objects.exists()
    assert not PeriodicTask.objects.filter(name="counting").exists()
    assert Job.objects.get(kind=services.RUN).state == "cancelled"


# --- the product's own ------------------------------------------------------------------------------------------


def test_the_products_own_jobs_are_there_and_what_an_operator_changed_stays() -> None:
    job = RecurringJob.objects.get(slug="sync-reservations")
    services.change(job, schedule=schedules.every(1800), retries=5, now=NOON, actor="olga")
    services.switch(job, False, now=NOON, actor="olga")
    before = RecurringJob.objects.count()
    ensure_recurring()
    job = RecurringJob.objects.select_related("task").get(slug="sync-reservations")
    assert (RecurringJob.objects.count(), job.retries, job.enabled) == (before, 5, False)
    assert job.schedule == schedules.every(1800)


def test_the_tick_of_an_older_version_hands_on_its_schedule_and_its_switch() -> None:
    PeriodicTask.objects.filter(name="sync-reservations").delete()
    every = IntervalSchedule.objects.create(every=7, period="minutes")
    PeriodicTask.objects.create(name="reservations.sync", task="reservations.sync", interval=every, enabled=False)
    ensure_recurring()
    job = RecurringJob.objects.get(slug="sync-reservations")
    assert (job.task.task, job.enabled, job.schedule) == (services.KNOCK, False, schedules.every(420))
    assert not PeriodicTask.objects.filter(name="reservations.sync").exists()


def test_the_products_own_cannot_be_deleted() -> None:
    with pytest.raises(Protected, match="switch it off"):
        services.delete(RecurringJob.objects.get(slug="sync-reservations"), now=NOON, actor="olga")


@pytest.mark.parametrize("slug", ["scheduler-dispatch", "scheduler-rescue"])
def test_the_pulse_of_the_engine_is_shown_and_cannot_be_broken(slug: str) -> None:
    job = RecurringJob.objects.get(slug=slug)
    assert (job.category, job.is_direct) == ("system", True)
    for touch in (
        lambda: services.switch(job, False, now=NOON, actor="olga"),
        lambda: services.change(job, schedule=schedules.every(3600), now=NOON, actor="olga"),
        lambda: services.delete(job, now=NOON, actor="olga"),
        lambda: services.run_now(job, now=NOON, actor="olga"),
    ):
        with pytest.raises(Protected):
            touch()


# --- a process of its own ---------------------------------------------------------------------------------------


def test_the_process_of_a_run_lets_the_workers_go_first() -> None:
    wait = "import os\nwhile os.nice(0) < 10: pass\nprint('polite')"
    assert process.supervise([sys.executable, "-c", wait], seconds=60, check=lambda: None) == "polite\n"


def test_a_process_that_takes_too_long_is_stopped(tmp_path: Any) -> None:
    with pytest.raises(TimedOut, match="was stopped"):
        process.supervise([sys.executable, "-c", "import time; time.sleep(600)"], seconds=0.1, check=lambda: None)


def test_a_process_whose_run_is_called_off_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CHECK_SECONDS", 0)

    def called_off() -> None:
        raise Superseded("called off")

    with pytest.raises(Superseded):
        process.supervise([sys.executable, "-c", "import time; time.sleep(600)"], seconds=600, check=called_off)


def test_a_process_leaves_when_its_worker_is_gone() -> None:
    words = [sys.executable, "-c", "from scheduler.recurring.child import leave_with_the_worker as leave; leave()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, cwd=settings.BASE_DIR) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(60) == 1


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ('{"how": "stop", "error": "It cannot be."}', Stop),
        ('{"how": "retry", "error": "Not now."}', Retry),
        ("", Retry),
        ("gibberish", Retry),
    ],
)
def test_what_the_process_answers_is_what_the_engine_is_told(
    monkeypatch: pytest.MonkeyPatch, told: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(process, "supervise", lambda *_words, **_more: told)
    with pytest.raises(error):
        PERFORM(Run(1, 1, services.RUN, "recurring:1", {"run": 1}, 1, NOON), 5)


PERFORM = process.perform
