"""``/api/health``: the same three questions as ``/health/…``, in one answer. Public, and tells no secrets."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from scheduler import clock
from smartlock import health

router = Router(tags=["health"])


class QueueStats(Schema):
    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    paused: int


class QueueHealth(Schema):
    name: str
    healthy: bool
    stats: QueueStats
    problem: str = Field(description="a sentence while the queue is paused and due jobs wait in it, else empty")


class Health(Schema):
    """``GET /health/queues`` says the same by its status code, for monitors."""

    status: Literal["healthy", "degraded", "unhealthy"]
    timestamp: str
    checks: dict[str, bool]
    queues: list[QueueHealth]


@router.get("", response=Health, auth=None, summary="How the system is")
def get_health(request: HttpRequest) -> Any:
    report = health.queues(now=clock.now())
    return {**report, "checks": health.readiness()}
