"""Takes due jobs under a lease and notes the attempts, all in one commit: an attempt's row exists before it acts.

On PostgreSQL that is one statement, since everything here happens after the due time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction

from scheduler import rows
from scheduler.due import Due
from scheduler.errors import Superseded
from scheduler.kinds import Kind
from scheduler.models import Job
from scheduler.progress import Progress
from scheduler.transitions import move_sql

ATTEMPTS = """
INSERT INTO scheduler_jobattempt (job_id, number, started_at, lateness_ms, worker, by_hand, outcome, error_class, error, traceback)
SELECT {source} RETURNING job_id, id
"""  # noqa: E501
# What a JSON object (the parameter) says of a job. A key of digits alone would be a place in a list to SQLite.
TOLD = {"postgresql": "%s::jsonb ->> ('job' || id)", "sqlite": "%s ->> ('job' || id)"}


@dataclass(frozen=True)
class Run:
    """What a task is given: the claimed job as plain values, and the question whether it still holds it."""

    job_id: int
    version: int
    kind: str
    subject: str
    payload: dict[str, Any]
    attempt: int
    due_at: datetime

    def check(self) -> None:
        """Ask before every effect. Raises Superseded when the job was cancelled or given to another meanwhile.

        A connection that was cut since the last question is replaced, once.
        """
        try:
            is_held = self._is_held()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block:  # the caller's transaction is gone, too
                raise
            connection.close()
            is_held = self._is_held()
        if not is_held:
            raise Superseded(f"job {self.job_id} was called off while it ran")

    def _is_held(self) -> bool:
        return Job.objects.filter(pk=self.job_id, version=self.version, state=Job.State.RUNNING).exists()

    def progress(self) -> Progress:
        """For long work: ``with run.progress() as progress: progress.tell(40, "8 of 20")``, as often as one likes."""
        return Progress(self.job_id, self.version)


@dataclass(slots=True)
class Attempt:
    """The row of the try that is being made, as far as its end will be written down."""

    pk: int
    number: int
    started_at: datetime
    lateness_ms: int
    finished_at: datetime
    error_class: str = ""
    error: str = ""
    traceback: str = ""

    @property
    def duration_ms(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that is ours: its row as it was before, what its task is given, and its attempt."""

    job: Due
    run: Run
    attempt: Attempt


def claim(kind: Kind, jobs: Iterable[Due], *, now: datetime, worker: str) -> tuple[list[Claim], list[Due]]:
    """Claim what is still free, in one statement. Returns (claimed, busy).

    What was taken by somebody else meanwhile is in neither list. When another exclusive job of some subject runs, the
    fence in the row forbids the whole statement: then they are tried one by one, and those it is about are busy.
    """
    jobs = list(jobs)
    try:
        # A statement is its own transaction; inside of somebody's (a test's) it must not break that one.
        with transaction.atomic() if connection.in_atomic_block else nullcontext():
            return _take(kind, jobs, now, worker), []
    except IntegrityError:
        if len(jobs) == 1:
            return [], jobs
    claimed, busy = [], []
    for job in jobs:
        mine, others = claim(kind, [job], now=now, worker=worker)
        claimed += mine
        busy += others
    return claimed, busy


def _take(kind: Kind, jobs: list[Due], now: datetime, worker: str) -> list[Claim]:
    """Raises IntegrityError when the fence forbids it."""
    if not jobs:
        return []
    worker = worker[:100]
    move, values = move_sql(
        "claim", [(job.pk, job.version) for job in jobs], now=now, attempt=1, worker=worker, by_hand="",
        lease_until=now + timedelta(seconds=kind.lease), progress=None, progress_text="",
    )  # fmt: skip
    attempts = _attempts(move, values, jobs, now, worker)
    return [_claim(job, attempts[job.pk], now) for job in jobs if job.pk in attempts]


def _attempts(move: str, values: list[Any], jobs: list[Due], now: datetime, worker: str) -> dict[int, int]:
    """Make the move and write an attempt for each job that made it; gives the attempts' ids by the jobs'."""
    told = TOLD[connection.vendor]
    columns = f"id, attempt, %s, CAST({told} AS bigint), %s, COALESCE({told}, ''), 'started', '', '', '' FROM "
    late = {f"job{job.pk}": lateness_ms(job, now) for job in jobs}
    by_hand = {f"job{job.pk}": job.by_hand for job in jobs if job.by_hand}
    noted = rows.adapted([now, json.dumps(late), worker, json.dumps(by_hand)])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            insert = ATTEMPTS.format(source=columns + "moved")
            cursor.execute(f"WITH moved AS ({move}, attempt) {insert}", [*values, *noted])
            return dict(cursor.fetchall())
    with transaction.atomic(), connection.cursor() as cursor:  # SQLite changes nothing inside a WITH
        cursor.execute(move, values)
        moved = ", ".join(str(row[0]) for row in cursor.fetchall())
        cursor.execute(ATTEMPTS.format(source=f"{columns}scheduler_job WHERE id IN ({moved})"), noted)
        return dict(cursor.fetchall())


def _claim(job: Due, attempt: int, now: datetime) -> Claim:
    run = Run(job.pk, job.version + 1, job.kind, job.subject, job.payload, job.attempt + 1, job.due_at)
    return Claim(job, run, Attempt(attempt, run.attempt, now, lateness_ms(job, now), now))


def lateness_ms(job: Due, started_at: datetime) -> int:
    return round((started_at - job.run_at).total_seconds() * 1000)
