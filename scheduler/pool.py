"""Threads of this process that run the jobs of a message side by side, no more at a time than the queue allows."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connections

from scheduler import queues

T = TypeVar("T")
THREADS = 64
MOMENT_SECONDS = 0.05
_lock = threading.Lock()
_executor: ThreadPoolExecutor | None = None
_slots: dict[tuple[str, int], threading.BoundedSemaphore] = {}
_stopping = threading.Event()
_pid = 0


def stop() -> None:
    """The worker was told to stop: what has not begun yet is handed back, what acts is finished."""
    _stopping.set()


def is_stopping() -> bool:
    return _stopping.is_set()


def slot(queue: str) -> threading.BoundedSemaphore:
    """One of the places that a queue has in this process; hold it while a job acts."""
    places = min(queues.settings(queue).concurrency, THREADS)
    with _lock:
        _after_fork()
        # With another concurrency the queue gets other places; those that are held are given back to the old ones.
        return _slots.setdefault((queue, places), threading.BoundedSemaphore(places))


def side_by_side(queue: str, calls: Sequence[Callable[[], T]]) -> Iterator[T | None]:
    """Run all calls and give their results as they come in, and None whenever none came for a moment.

    A single call runs in the caller's own thread.
    """
    places = slot(queue)

    def held(call: Callable[[], T]) -> T:
        with places:
            return call()

    if len(calls) == 1:
        yield held(calls[0])
        return
    running = {_threads().submit(_with_connection_closed, held, call) for call in calls}
    while running:
        done, running = wait(running, timeout=MOMENT_SECONDS, return_when=FIRST_COMPLETED)
        if not done:
            yield None
        for future in done:
            yield future.result()


def _with_connection_closed(held: Callable[[Callable[[], T]], T], call: Callable[[], T]) -> T:
    try:
        return held(call)
    finally:
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()


def _threads() -> ThreadPoolExecutor:
    global _executor
    with _lock:
        _after_fork()
        if _executor is None:
            _executor = ThreadPoolExecutor(THREADS, thread_name_prefix="job")
        return _executor


def _after_fork() -> None:
    global _executor, _pid
    if _pid != os.getpid():
        _pid, _executor = os.getpid(), None
        _slots.clear()
