"""`manage.py pause_queue NAME`: start nothing of it until it is resumed; what runs is finished."""

from __future__ import annotations

from scheduler.models import Queue
from smartlock.management.queue_lever import QueueLever


class Command(QueueLever):
    help = (
        "Pause a queue: start nothing of it until it is resumed; what runs is finished. "
        "Exit code 0, also when it was paused before; 1 when there is no such queue."
    )
    pauses = True

    def told(self, name: str) -> str:
        return f"{name} is paused: its jobs wait until `resume_queue {name}`."

    def told_before(self, queue: Queue) -> str:
        return f"{queue.name} was paused already, by {queue.paused_by} at {queue.paused_at:%Y-%m-%d %H:%M} UTC."
