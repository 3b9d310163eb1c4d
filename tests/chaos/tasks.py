"""The two kinds of job of the chaos run. Workers get them by `--include tests.chaos.tasks`; the product never does.

The payload says what the job is like: how many steps it takes, how long they last, how often it waits or fails first.
"""

from __future__ import annotations

import os
import time

from scheduler.errors import Retry, Stop, Superseded, Wait
from scheduler.kinds import job
from scheduler.retry import RetryPolicy
from scheduler.runner import Run
from tests.chaos import outside

LEASE = float(os.environ.get("CHAOS_LEASE", "30"))
# Every kill uses up a try; here only the jobs that are meant to may end on the shelf.
PATIENT = RetryPolicy(delays=(1,), max_attempts=200, wait_delays=(1,), wait_then_every=1)


@job("chaos.act", queue="default", lease=LEASE, retry=PATIENT)
def act(run: Run) -> None:
    _work(run)


@job("chaos.alone", queue="pins", lease=LEASE, retry=PATIENT, exclusive=True)
def alone(run: Run) -> None:
    _work(run)


def _work(run: Run) -> None:
    seen = outside.visit(run)
    try:
        _stumble(run, seen)
        for step in range(1, run.payload["steps"] + 1):
            _do(run, step)
            time.sleep(run.payload["takes"] / run.payload["steps"])
    finally:
        outside.leave(run)


def _stumble(run: Run, seen: int) -> None:
    waits, retries = run.payload["waits"], run.payload["retries"]
    if seen <= waits:
        raise Wait("not yet", after=0.5)
    if seen <= waits + retries:
        raise Retry("again", after=0.5)
    if run.payload["hopeless"]:
        raise Stop("never")


def _do(run: Run, step: int) -> None:
    """One effect, asked for first as every task does. The moment of asking is what the fence is judged by."""
    asked = time.time()
    try:
        run.check()
    except Superseded:
        outside.refusal(run, step)
        raise
    outside.effect(run, step, asked)
