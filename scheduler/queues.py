"""The queues: what they are called, which are paused, and how fast they may start jobs."""

from __future__ import annotations

from typing import Any

from scheduler.models import Queue

# Concurrency is per worker process. Doors wait on the network, so many may be worked at a time.
DEFAULTS: dict[str, dict[str, Any]] = {
    "pins": {"concurrency": 16},
    "messages": {"concurrency": 5, "rate": 10.0, "burst": 10},
    "sync": {"concurrency": 2},
    "default": {"concurrency": 8},
}
NAMES = tuple(DEFAULTS)


def ensure_queues(**_: Any) -> None:
    """After a migration: add the queues that are missing. What an operator changed stays as it is."""
    for name, values in DEFAULTS.items():
        Queue.objects.get_or_create(name=name, defaults=values)


def paused() -> set[str]:
    """The names of the queues that start nothing at the moment."""
    return set(Queue.objects.filter(paused_at__isnull=False).values_list("name", flat=True))
