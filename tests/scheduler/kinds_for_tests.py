"""Kinds of job that only exist in tests: what they do is whatever the test puts into ``doing``."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.kinds import Kind, get, job
from scheduler.retry import RetryPolicy
from scheduler.runner import Run

doing: dict[str, Callable[[Run], None]] = {}


def nothing(run: Run) -> None:
    """What a kind does as long as a test wants nothing else."""


@job("tests.plain")
def plain(run: Run) -> None:
    doing.get("plain", nothing)(run)


@job("tests.exclusive", exclusive=True, queue="pins")
def exclusive(run: Run) -> None:
    doing.get("exclusive", nothing)(run)


@job("tests.endless", retry=RetryPolicy(max_attempts=100_000))
def endless(run: Run) -> None:
    doing.get("endless", nothing)(run)


@job("tests.stubborn", retry=RetryPolicy(then_every=3600, max_attempts=100_000, stop_is_final=False))
def stubborn(run: Run) -> None:
    doing.get("stubborn", nothing)(run)


PLAIN: Kind = get("tests.plain")
EXCLUSIVE: Kind = get("tests.exclusive")
ENDLESS: Kind = get("tests.endless")
STUBBORN: Kind = get("tests.stubborn")
