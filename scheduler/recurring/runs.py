"""How a run is written down: begun, ended, settled when its worker could not, forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from scheduler.models import Job
from scheduler.recurring.models import RecurringJob, RecurringRun, RunStatus, milliseconds

KEPT = timedelta(days=30)
ENDS = {Job.State.CANCELLED: RunStatus.CANCELLED, Job.State.SUCCEEDED: RunStatus.SUCCEEDED}


def begin(run: RecurringRun, *, now: datetime) -> None:
    """A further try goes on with the same run; its time began with the first."""
    run.started_at, run.status, run.finished_at = run.started_at or now, RunStatus.RUNNING, None
    run.save(update_fields=["started_at", "status", "finished_at"])
    RecurringJob.objects.filter(pk=run.recurring_id).update(last_run_at=run.started_at, last_status=RunStatus.RUNNING)


@transaction.atomic
def finish(run: RecurringRun, status: RunStatus, *, now: datetime, error: str = "") -> None:
    """The last word about a run, and on its job what the list shows. A skipped one never ran and counts as none."""
    run.status, run.finished_at, run.error = status, now, error
    run.save(update_fields=["status", "finished_at", "error"])
    facts: dict[str, object] = {"last_status": status, "last_error": error}
    if status != RunStatus.SKIPPED:
        facts |= {"last_run_at": run.started_at or now, "last_duration_ms": milliseconds(run.started_at, now)}
        facts |= {"runs_total": F("runs_total") + 1}
    if status == RunStatus.FAILED:
        facts |= {"runs_failed": F("runs_failed") + 1}
    RecurringJob.objects.filter(pk=run.recurring_id).update(**facts)


def settle(*, now: datetime) -> int:
    """Close the runs whose engine job is over without having said so: called off, given up, cleared away."""
    open_runs = list(RecurringRun.objects.filter(status__in=RecurringRun.OPEN))
    engine = Job.objects.in_bulk([run.engine_job for run in open_runs if run.engine_job])
    over = [run for run in open_runs if not (job := engine.get(run.engine_job or 0)) or not job.is_live()]
    for run in over:
        job = engine.get(run.engine_job or 0)
        status = ENDS.get(Job.State(job.state), RunStatus.FAILED) if job else RunStatus.FAILED
        finish(run, status, now=now, error=job.last_error if job else "Its job was cleared away before it ended.")
    return len(over)


def forget_old(*, now: datetime) -> int:
    """Delete runs of more than 30 days ago."""
    old = RecurringRun.objects.filter(planned_at__lt=now - KEPT).exclude(status__in=RecurringRun.OPEN)
    return old.delete()[0]
