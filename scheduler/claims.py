"""Takes due jobs under a lease and notes the attempts, all in one commit: an attempt's row exists before it acts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from scheduler.errors import Superseded
from scheduler.kinds import Kind
from scheduler.models import Job, JobAttempt
from scheduler.progress import Progress
from scheduler.transitions import move


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
        """Ask before every effect. Raises Superseded when the job was cancelled or given to another meanwhile."""
        if not Job.objects.filter(pk=self.job_id, version=self.version, state=Job.State.RUNNING).exists():
            raise Superseded(f"job {self.job_id} was called off while it ran")

    def progress(self) -> Progress:
        """For long work: ``with run.progress() as progress: progress.tell(40, "8 of 20")``, as often as one likes."""
        return Progress(self.job_id, self.version)


@dataclass(frozen=True)
class Claim:
    """A job that is ours: its row as it was before, what its task is given, and its attempt."""

    job: Job
    run: Run
    attempt: JobAttempt


def claim(kind: Kind, jobs: Iterable[Job], *, now: datetime, worker: str) -> tuple[list[Claim], list[Job]]:
    """Claim what is still free: one statement for all that have the same version. Returns (claimed, busy).

    When not all of them can be had, they are tried one by one: the others were taken by somebody else (and are in
    neither list), or another exclusive job of their subject is running (busy).
    """
    claimed: list[Claim] = []
    busy: list[Job] = []
    for _, group in groupby(sorted(jobs, key=lambda job: job.version), key=lambda job: job.version):
        same = list(group)
        together = _claim_together(kind, same, now=now, worker=worker)
        if together is not None:
            claimed += together
            continue
        for job in same:
            alone = _claim_together(kind, [job], now=now, worker=worker)
            if alone is not None:
                claimed += alone
            elif Job.objects.filter(pk=job.pk, version=job.version, state=Job.State.SCHEDULED).exists():
                busy.append(job)
    return claimed, busy


def _claim_together(kind: Kind, jobs: list[Job], *, now: datetime, worker: str) -> list[Claim] | None:
    """All of them or none. None also when the fence (one exclusive job per subject) forbids it."""
    lease_until = now + timedelta(seconds=kind.lease)
    try:
        with transaction.atomic():
            mine = Job.objects.filter(pk__in=[job.pk for job in jobs], version=jobs[0].version)
            taken = move(
                mine,
                "claim",
                now=now,
                attempt=F("attempt") + 1,
                worker=worker[:100],
                lease_until=lease_until,
                by_hand="",
                progress=None,
                progress_text="",
            )
            if taken != len(jobs):
                transaction.set_rollback(True)
                return None
            attempts = JobAttempt.objects.bulk_create([_attempt(job, now, worker) for job in jobs])
    except IntegrityError:
        return None
    return [Claim(job, _run_of(job), attempt) for job, attempt in zip(jobs, attempts, strict=True)]


def _attempt(job: Job, now: datetime, worker: str) -> JobAttempt:
    return JobAttempt(
        job=job, number=job.attempt + 1, started_at=now, worker=worker[:100], by_hand=job.by_hand,
        lateness_ms=round((now - job.run_at).total_seconds() * 1000),
    )  # fmt: skip


def _run_of(job: Job) -> Run:
    return Run(job.pk, job.version + 1, job.kind, job.subject, job.payload, job.attempt + 1, job.due_at)
