"""What the engine does with a run: perform it elsewhere, and say how it ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from scheduler.claims import Run
from scheduler.errors import Retry, Stop, Superseded, Wait
from scheduler.recurring import runs
from scheduler.recurring.models import RecurringRun, RunStatus

Perform = Callable[[Run, float], None]


class TimedOut(Stop):
    """A run took longer than its time limit and was stopped; trying again would take as long."""

    code = "timed-out"


def execute(run: Run, *, perform: Perform, now: Callable[[], datetime]) -> None:
    """``perform(run, seconds)`` does the work within the time limit. Raises for the engine what the run came to."""
    row = RecurringRun.objects.select_related("recurring").filter(pk=run.payload["run"]).first()
    if row is None:
        raise Superseded("its recurring job was deleted")
    if row.status == RunStatus.SUCCEEDED:  # done, but the worker died before it could tell the engine
        return
    runs.begin(row, now=now())
    try:
        perform(run, row.recurring.timeout)
    except Wait:
        raise
    except Superseded:
        runs.finish(row, RunStatus.CANCELLED, now=now(), error="Called off while it ran.")
        raise
    except Exception as error:
        if not isinstance(error, Stop) and run.attempt <= row.recurring.retries:
            raise Retry(str(error)) from error
        runs.finish(row, RunStatus.FAILED, now=now(), error=str(error))
        raise error if isinstance(error, Stop) else Stop(str(error)) from error
    runs.finish(row, RunStatus.SUCCEEDED, now=now())
