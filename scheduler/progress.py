"""How far a long job is: percent and a few words on its row, written seldom, and never at the work's expense.

with Progress(run.job_id, run.version) as progress:
    for number, stay in enumerate(stays):
        progress.tell(100 * number // len(stays), str(stay))
"""

from __future__ import annotations

import time
from types import TracebackType

import structlog
from django.db import DatabaseError, transaction

from scheduler.models import Job

log = structlog.get_logger(__name__)
EVERY_SECONDS = 0.5


class Progress:
    """Writes at most twice a second, and at the end of the block the last word in any case."""

    def __init__(self, job_id: int, version: int) -> None:
        self.job_id = job_id
        self.version = version
        self._written = -EVERY_SECONDS
        self._waiting: tuple[int, str] | None = None

    def tell(self, percent: int, text: str = "") -> None:
        self._waiting = (min(max(int(percent), 0), 100), text[:200])
        if not 0 <= time.monotonic() - self._written < EVERY_SECONDS:
            self._write()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._write()

    def _write(self) -> None:
        """Only on the run it belongs to: a job that was cancelled or given to another worker is no longer ours."""
        if self._waiting is None:
            return
        (percent, text), self._waiting = self._waiting, None
        self._written = time.monotonic()
        mine = Job.objects.filter(pk=self.job_id, version=self.version, state=Job.State.RUNNING)
        try:
            with transaction.atomic():  # inside the work's transaction a savepoint: a failure here must not break it
                mine.update(progress=percent, progress_text=text)
        except DatabaseError as error:
            log.warning("progress.not_written", job=self.job_id, reason=type(error).__name__)
