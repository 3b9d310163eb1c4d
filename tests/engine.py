"""A time machine for tests and demonstrations: moves the clock to each job's time and runs it, without sleeping.

All in one process. ``tests/story`` shows it to people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import time_machine
from django.test import TestCase

from scheduler import clock, kinds
from scheduler.models import Job
from scheduler.rescue import rescue
from scheduler.runner import run_one

LIMIT = 500


class TimeMachine:
    """The present stands still until somebody moves it. ``watch`` hears of each run: its kind and its outcome."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self.watch: Callable[[str, str], None] = lambda _kind, _outcome: None
        self._traveller = traveller

    @property
    def now(self) -> datetime:
        return clock.now()

    def until(self, moment: datetime) -> list[tuple[str, str]]:
        """Run everything that comes due up to then, each job at its own moment. Returns (kind, outcome) in order."""
        ran: list[tuple[str, str]] = []
        while job := self._next(moment):
            self.forward(job.run_at)
            with TestCase.captureOnCommitCallbacks(execute=True):
                ran.append((job.kind, run_one(kinds.get(job.kind), job.pk, job.version, worker="test")))
            self.watch(*ran[-1])
            if len(ran) > LIMIT:
                raise AssertionError(f"more than {LIMIT} runs up to {moment}, a loop? {ran[-5:]}")
        self.forward(moment)
        return ran

    def bury_the_dead(self) -> None:
        """A worker was killed: let its lease run out and hand its jobs back."""
        self.forward(self.now + timedelta(minutes=2))
        rescue(now=self.now)

    def _next(self, moment: datetime) -> Job | None:
        due = Job.objects.filter(state=Job.State.SCHEDULED, run_at__lte=moment)
        return due.order_by("run_at", "priority", "id").first()

    def forward(self, moment: datetime) -> None:
        """Only the clock moves."""
        self._traveller.move_to(max(self.now, moment), tick=False)


@contextmanager
def time_machine_at(start: datetime) -> Iterator[TimeMachine]:
    with time_machine.travel(start, tick=False) as traveller:
        yield TimeMachine(traveller)
