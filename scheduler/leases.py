"""Renews the leases (and guards) of the jobs this process is working on, from one thread, every ten seconds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import structlog
from django.db import connection, connections

from scheduler import clock, guard, rows
from scheduler.guard import Guard
from scheduler.models import Job
from scheduler.transitions import meant

log = structlog.get_logger(__name__)
TABLE = Job._meta.db_table
EVERY_SECONDS = 10.0


@dataclass(frozen=True)
class Lease:
    """What is held: a claimed job, and until when (monotonic seconds) it is renewed at all."""

    job_id: int
    version: int
    seconds: float
    ends: float
    guard: Guard | None


_held: dict[tuple[int, int], Lease] = {}  # by job and version: a frozen thread may meet its successor here
_lock = threading.Lock()
_pid = 0


@contextmanager
def kept(jobs: Iterable[tuple[int, int, Guard | None]], *, seconds: float, time_limit: float) -> Iterator[None]:
    """While the block runs, the leases of ``(job id, version, guard)`` are pushed ``seconds`` ahead again and again.

    After ``time_limit`` seconds they are let go: the job is taken for stuck and given to another worker.
    """
    _ensure_thread()
    ends = time.monotonic() + time_limit
    mine = {(job_id, version): Lease(job_id, version, seconds, ends, guard) for job_id, version, guard in jobs}
    with _lock:
        _held.update(mine)
    try:
        yield
    finally:
        with _lock:
            for key in mine:
                _held.pop(key, None)


def release(jobs: Iterable[tuple[int, int]]) -> None:
    """These ``(job id, version)`` of a batch are done: their leases need no renewing any more."""
    with _lock:
        for key in jobs:
            _held.pop(key, None)


def renew_all() -> None:
    """Renew what is held. A row that has moved on is left alone; its worker notices at its next check."""
    with _lock:
        held = [lease for lease in _held.values() if time.monotonic() < lease.ends]
    for seconds, alike in groupby(sorted(held, key=lambda lease: lease.seconds), key=lambda lease: lease.seconds):
        _push([(lease.job_id, lease.version) for lease in alike], clock.now() + timedelta(seconds=seconds))
    guard.renew(lease.guard for lease in held if lease.guard is not None)


def _push(pairs: list[tuple[int, int]], until: datetime) -> None:
    """In one statement, however many there are. It waits for nobody: a row that is held is being ended or called off,
    or will be renewed the next time.
    """
    skipping = " FOR UPDATE SKIP LOCKED" if connection.features.has_select_for_update_skip_locked else ""
    ours = f"SELECT id FROM {TABLE} WHERE {meant(pairs)} AND state = 'running'{skipping}"  # noqa: S608  numbers only
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET lease_until = %s WHERE id IN ({ours})", rows.adapted([until]))  # noqa: S608


def _ensure_thread() -> None:
    global _pid
    with _lock:
        if _pid == os.getpid():
            return
        _pid = os.getpid()
    threading.Thread(target=_work, name="lease-keeper", daemon=True).start()


def _work() -> None:
    while True:
        time.sleep(EVERY_SECONDS)
        if not _held:
            continue
        try:
            renew_all()
        except Exception:
            log.exception("lease.not_renewed")
        finally:
            connections.close_all()
