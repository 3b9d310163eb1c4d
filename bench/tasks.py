"""The bench's own kind of job: it notes that it began, and does nothing else."""

from __future__ import annotations

from bench.journal import note
from scheduler.kinds import job
from scheduler.runner import Run


@job("bench.noop", queue="default")
def noop(run: Run) -> None:
    note(run.payload["n"])
