"""``/api/queues``: what waits in each, how fast it is worked off, and the lever that stops one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema
from pydantic import Field

from scheduler import clock, queues
from scheduler.health import stats
from scheduler.models import Queue
from smartlock.api.callers import Token, actor
from smartlock.api.problems import Problem
from smartlock.api.shapes import ABSENT, Name, Something, Whole

router = Router(tags=["queues"])
READ, WRITE = Token("jobs:read"), Token("jobs:write")
QueueName = Annotated[Name, Path(description="pins, messages, sync or default")]


class Counts(Schema):
    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    overdue: int


class QueueRow(Schema):
    """``rate``: starts per second over all workers, null = no limit; ``keep_failed``: null = until somebody clears."""

    name: str
    is_paused: bool
    paused_at: datetime | None
    paused_by: str
    concurrency: int
    rate: float | None
    burst: int
    keep_done: int
    keep_done_days: int
    keep_failed: int | None
    jobs: Counts


class QueueChange(Something):
    concurrency: Annotated[int, Field(ge=1, le=1000), Whole] = ABSENT
    rate: Annotated[float, Field(ge=0.001, le=10_000)] | None = ABSENT
    burst: Annotated[int, Field(ge=1, le=10_000), Whole] = ABSENT
    keep_done: Annotated[int, Field(ge=0, le=100_000_000), Whole] = ABSENT
    keep_done_days: Annotated[int, Field(ge=0, le=3650), Whole] = ABSENT
    keep_failed: Annotated[int, Field(ge=0, le=100_000_000), Whole] | None = ABSENT


@router.get("", response=list[QueueRow], auth=READ, summary="All queues")
def list_queues(request: HttpRequest) -> Any:
    return _rows()


@router.get("/{name}", response=QueueRow, auth=READ, summary="One queue")
def get_queue(request: HttpRequest, name: QueueName) -> Any:
    return _row(name)


@router.post("/{name}/pause", response=QueueRow, auth=WRITE, summary="Start nothing of a queue")
def pause_queue(request: HttpRequest, name: QueueName) -> Any:
    """What runs is finished. Safe to repeat."""
    _row(name)
    queues.pause(name, now=clock.now(), actor=actor(request))
    return _row(name)


@router.post("/{name}/resume", response=QueueRow, auth=WRITE, summary="Go on with a queue")
def resume_queue(request: HttpRequest, name: QueueName) -> Any:
    """What came due meanwhile starts within seconds. Safe to repeat."""
    _row(name)
    queues.resume(name, now=clock.now(), actor=actor(request))
    return _row(name)


@router.patch("/{name}", response=QueueRow, auth=WRITE, summary="Change how a queue is worked off")
def change_queue(request: HttpRequest, name: QueueName, body: QueueChange) -> Any:
    _row(name)
    queues.change(name, actor=actor(request), **body.given())
    return _row(name)


def _rows() -> list[dict[str, Any]]:
    counts = stats(clock.now())
    plain = [name for name in QueueRow.model_fields if name != "jobs"]
    return [
        {
            **{name: getattr(queue, name) for name in plain},
            "jobs": counts.get(queue.name, dict.fromkeys(Counts.model_fields, 0)),
        }
        for queue in Queue.objects.order_by("name")
    ]


def _row(name: str) -> dict[str, Any]:
    rows = _rows()
    found = next((row for row in rows if row["name"] == name), None)
    if found is None:
        known = ", ".join(row["name"] for row in rows)
        raise Problem(404, f"No queue is called {name!r}.", what_to_do=f"There are: {known}.")
    return found
