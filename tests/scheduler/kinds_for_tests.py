"""Kinds of job that only exist in tests: what they do is whatever the test puts into ``doing``."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.kinds import Kind, get, job
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


PLAIN: Kind = get("tests.plain")
EXCLUSIVE: Kind = get("tests.exclusive")
