"""Hands due jobs to Celery from a thread of its own.

Whoever commits a job (a webhook's request, a worker) never waits for Redis: the message is written by this thread,
and when Redis is away it is dropped, because the dispatcher publishes every job whose message did not arrive.
"""

from __future__ import annotations

import os
import queue
import threading
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

import structlog
from celery import current_app
from kombu.exceptions import OperationalError

from scheduler import clock, kinds
from scheduler.models import Job

log = structlog.get_logger(__name__)
AT_ONCE = 1000  # so many waiting messages are looked at together, to be merged
AHEAD = timedelta(milliseconds=30)  # so long before the due time a worker looks up the rows; it claims them at it


class Message(NamedTuple):
    """What Celery is told about jobs of one kind that are due at one instant: who they are and when they may start."""

    kind: str
    queue: str
    priority: int
    run_at: datetime
    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, job: Job) -> Message:
        return cls(job.kind, job.queue, job.priority, job.run_at, ((job.pk, job.version),))

    @property
    def task_id(self) -> str:
        """Shows the first job's id and version in Flower, and how many others there are."""
        job_id, version = self.pairs[0]
        more = f"+{len(self.pairs) - 1}" if len(self.pairs) > 1 else ""
        return f"job-{job_id}.{version}{more}-{uuid.uuid4().hex[:6]}"


def merge(messages: Iterable[Message], now: datetime) -> Iterator[Message]:
    """Fewer messages for the same jobs: those of one kind, queue and priority that may start at the same instant.

    What is due already may start now, whenever it was due. A message carries at most ``Kind.batch`` jobs.
    """
    alike = [message if message.run_at >= now else message._replace(run_at=now) for message in messages]
    alike.sort(key=lambda m: (m.run_at, m.priority, m.queue, m.kind))
    for _, group in groupby(alike, key=lambda m: (m.run_at, m.priority, m.queue, m.kind)):
        same = list(group)
        pairs = [pair for message in same for pair in message.pairs]
        size = kinds.get(same[0].kind).batch
        for start in range(0, len(pairs), size):
            yield same[0]._replace(pairs=tuple(pairs[start : start + size]))


def publish(message: Message) -> None:
    """Write one message to the broker, now. Raises OperationalError when Redis does not answer.

    Celery's priority 0 is the highest, ours is 1.
    """
    current_app.send_task(
        message.kind,
        args=[[list(pair) for pair in message.pairs]],
        task_id=message.task_id,
        queue=message.queue,
        priority=message.priority - 1,
        eta=message.run_at - AHEAD if message.run_at - AHEAD > clock.now() else None,
        retry=False,
        ignore_result=True,  # the message has the last word on this, not the task
    )


class _Announcer:
    """A queue and a daemon thread, one per process."""

    def __init__(self) -> None:
        self.waiting: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.pid = os.getpid()
        threading.Thread(target=self.work, name="job-announcer", daemon=True).start()

    def work(self) -> None:
        while True:
            for message in merge(self._all_waiting(), clock.now()):
                try:
                    publish(message)
                except (OperationalError, OSError) as error:
                    log.warning("job.not_announced", jobs=len(message.pairs), reason=type(error).__name__)
                except Exception:
                    log.exception("job.not_announced", jobs=len(message.pairs))

    def _all_waiting(self) -> Iterator[Message]:
        yield self.waiting.get()
        for _ in range(AT_ONCE):
            try:
                yield self.waiting.get_nowait()
            except queue.Empty:
                return


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
