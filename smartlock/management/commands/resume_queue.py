"""`manage.py resume_queue NAME`: work it off again; what came due meanwhile starts within seconds."""

from __future__ import annotations

from scheduler.models import Queue
from smartlock.management.queue_lever import QueueLever


class Command(QueueLever):
    help = (
        "Resume a queue: work it off again; what came due meanwhile starts within seconds. "
        "Exit code 0, also when it was not paused before; 1 when there is no such queue."
    )
    pauses = False

    def told(self, name: str) -> str:
        return f"{name} goes on: what is due starts within seconds."

    def told_before(self, queue: Queue) -> str:
        return f"{queue.name} was not paused."
