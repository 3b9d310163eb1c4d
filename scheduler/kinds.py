"""How a kind of job is declared: an ordinary Celery task that is written for one job.

    @job("locks.generate_pin", queue="pins", exclusive=True, retry=RetryPolicy(...))
    def generate_pin(run: Run) -> None:
        services.generate_pin(...)

The Celery message carries ``[[job id, version], ...]``; the runner claims each row and calls the function.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from celery import shared_task

from scheduler.retry import DEFAULT, RetryPolicy

if TYPE_CHECKING:
    from scheduler.claims import Run

Pairs = list[list[int]]


@dataclass(frozen=True)
class Kind:
    """What is declared beside a task and holds for all its jobs; all times in seconds.

    ``batch``: how many jobs that are due together one message may carry. ``time_limit``: after this the lease is no
    longer renewed, so the job goes to another worker and this one's next check stops it. ``misfire_after``: a job that
    is later than this is skipped; None means better late than never.
    """

    name: str
    function: Callable[[Run], None]
    queue: str = "default"
    priority: int = 5
    exclusive: bool = False
    lease: float = 30
    batch: int = 200
    time_limit: float = 300
    misfire_after: float | None = None
    retry: RetryPolicy = field(default=DEFAULT)


class UnknownKind(LookupError):
    """No task of that name is declared; the room that declares it is missing or the name is misspelled."""


_kinds: dict[str, Kind] = {}


def job(name: str, **options: Any) -> Callable[[Callable[[Run], None]], Callable[[Run], None]]:
    """Declare the function below as the work of jobs of this kind."""

    def declare(function: Callable[[Run], None]) -> Callable[[Run], None]:
        kind = _kinds[name] = Kind(name=name, function=function, **options)

        # No result: the rows tell more, and writing one costs as much as the rest of a short job.
        @shared_task(name=name, bind=True, ignore_result=True)  # type: ignore[untyped-decorator]
        def carry(task: Any, pairs: Pairs) -> list[dict[str, object]]:
            from scheduler import runner

            return runner.run_all(kind, pairs, worker=str(task.request.hostname or "local"))

        return function

    return declare


def get(name: str) -> Kind:
    try:
        return _kinds[name]
    except KeyError:
        known = ", ".join(sorted(_kinds)) or "none"
        raise UnknownKind(f"no kind of job is called {name!r}; known: {known}") from None


def names() -> list[str]:
    return sorted(_kinds)
