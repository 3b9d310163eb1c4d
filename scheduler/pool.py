"""Threads of this process that run the jobs of a message side by side, no more at a time than the queue allows."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
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


def concurrency(queue: str) -> int:
    """How many jobs of this queue may act at a time in this process."""
    return min(queues.settings(queue).concurrency, THREADS)


def slot(queue: str) -> threading.BoundedSemaphore:
    """One of the places that a queue has in this process; hold it while a job acts."""
    places = concurrency(queue)
    with _lock:
        _after_fork()
        # With another concurrency the queue gets other places; those that are held are given back to the old ones.
        return _slots.setdefault((queue, places), threading.BoundedSemaphore(places))


def side_by_side(queue: str, calls: Sequence[Callable[[], T]]) -> Iterator[T | None]:
    """Run all calls and give their results as they come in, and None after a moment, whether some came or not.

    A single call runs in the caller's own thread. A crowd is looked after once in a moment and not once per call,
    and no more threads than the queue has places take from it: both would cost more than many a job.
    """
    places = slot(queue)
    if len(calls) == 1:
        with places:
            result = calls[0]()
        yield result
        return
    waiting, ended = deque(calls), deque[T | BaseException]()
    number, is_over = count(1), threading.Event()

    def work_off() -> None:
        while waiting:
            with places, suppress(IndexError):  # another thread may have taken the last one
                until = time.monotonic() + MOMENT_SECONDS
                while True:
                    ended.append(_outcome(waiting.popleft()))
                    if next(number) == len(calls):
                        is_over.set()
                    if time.monotonic() >= until:
                        break
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()

    for _ in range(min(len(calls), concurrency(queue))):
        _threads().submit(work_off)
    left = len(calls)
    while left:
        is_over.wait(MOMENT_SECONDS)
        for _ in range(len(ended)):
            left -= 1
            outcome = ended.popleft()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
        if left:
            yield None


def _outcome(call: Callable[[], T]) -> T | BaseException:
    try:
        return call()
    except BaseException as error:
        return error


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
