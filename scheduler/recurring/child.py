"""`python -m scheduler.recurring.child JOB_ID VERSION`: what runs in the process of a run. See ``process``."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from scheduler.claims import Run

LONGEST_ERROR = 4000


def main(job_id: int, version: int) -> dict[str, str]:
    import structlog

    from scheduler.claims import Run
    from scheduler.errors import Stop, Wait
    from scheduler.models import Job

    job = Job.objects.get(pk=job_id)
    try:
        perform(Run(job.pk, version, job.kind, job.subject, job.payload, job.attempt, job.due_at))
    except Exception as error:
        how = "stop" if isinstance(error, Stop) else "wait" if isinstance(error, Wait) else "retry"
        structlog.get_logger(__name__).error("recurring.fault", job=job_id, subject=job.subject, exc_info=error)
        return {"how": how, "error": f"{type(error).__name__}: {error}"[:LONGEST_ERROR]}
    return {"how": "done"}


def perform(run: Run) -> None:
    """Call the target of a run, here and now."""
    from scheduler.errors import Stop
    from scheduler.recurring import targets
    from scheduler.recurring.errors import RecurringError
    from scheduler.recurring.models import RecurringRun

    job = RecurringRun.objects.select_related("recurring").get(pk=run.payload["run"]).recurring
    try:
        target = targets.get(job.target)
        params = targets.checked(target, job.params)
    except RecurringError as error:
        raise Stop(str(error)) from error
    target.function(targets.Call(params, run))


def leave_with_the_worker() -> None:
    """Nobody is left to record the run: its job is given to another worker, and must not be done twice at a time."""
    while os.read(0, 1024):  # not sys.stdin: its lock, held by this thread, would be in the way of an orderly end
        pass
    os._exit(1)


if __name__ == "__main__":
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever is printed goes to the log
    django.setup()
    threading.Thread(target=leave_with_the_worker, daemon=True).start()
    answer = main(int(sys.argv[1]), int(sys.argv[2]))
    os.write(answers, json.dumps(answer).encode() + b"\n")
