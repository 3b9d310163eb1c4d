"""Hands due jobs to Celery from a thread of its own.

Whoever commits a job (a webhook's request, a worker) never waits for Redis: the message is written by this thread,
and when Redis is away it is dropped, because the dispatcher publishes every job whose message did not arrive.
"""

from __future__ import annotations

import os
import queue
import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from scheduler import clock
from scheduler.models import Job

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Message:
    """What Celery is told about one job: where it goes, what it is, when it may start."""

    kind: str
    queue: str
    priority: int
    run_at: datetime
    job_id: int
    version: int

    @classmethod
    def of(cls, job: Job) -> Message:
        return cls(job.kind, job.queue, job.priority, job.run_at, job.pk, job.version)


def publish(message: Message) -> None:
    """Write one message to the broker, now. Raises OperationalError when Redis does not answer.

    Celery's priority 0 is the highest, ours is 1; the task id shows the job's id in Flower.
    """
    current_app.send_task(
        message.kind,
        args=[[[message.job_id, message.version]]],
        task_id=f"job-{message.job_id}.{message.version}-{uuid.uuid4().hex[:6]}",
        queue=message.queue,
        priority=message.priority - 1,
        eta=message.run_at if message.run_at > clock.now() else None,
        retry=False,
    )


class _Announcer:
    """A queue and a daemon thread, one per process."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.pid = os.getpid()
        threading.Thread(target=self.work, name="job-announcer", daemon=True).start()

    def work(self) -> None:
        while True:
            message = self.waiting.get()
            try:
                publish(message)
            except (OperationalError, OSError) as error:
                log.warning("job.not_announced", job=message.job_id, reason=type(error).__name__)
            except Exception:
                log.exception("job.not_announced", job=message.job_id)


_announcer: _Announcer | None = None
_starting = threading.Lock()


def announce(messages: Iterable[Message]) -> None:
    """Queue messages for the thread and return at once. Call it after the commit."""
    global _announcer
    with _starting:
        if _announcer is None or _announcer.pid != os.getpid():  # a fork takes the queue along but not the thread
            _announcer = _Announcer()
    for message in messages:
        _announcer.waiting.put(message)
