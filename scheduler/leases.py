"""Renews the leases (and guards) of the jobs this process is working on, from one thread, every ten seconds."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from django.db import connections

from scheduler import clock
from scheduler.guard import Guard
from scheduler.models import Job

log = structlog.get_logger(__name__)
EVERY_SECONDS = 10.0
_held: dict[int, tuple[int, float, Guard | None]] = {}
_lock = threading.Lock()
_pid = 0


@contextmanager
def kept(job_id: int, version: int, lease: float, guard: Guard | None) -> Iterator[None]:
    """While the block runs, the lease of ``(job_id, version)`` is pushed ``lease`` seconds ahead again and again."""
    _ensure_thread()
    with _lock:
        _held[job_id] = (version, lease, guard)
    try:
        yield
    finally:
        with _lock:
            _held.pop(job_id, None)


def renew_all() -> None:
    """Renew what is held. A row that has moved on is left alone; its worker notices at its next check."""
    with _lock:
        held = list(_held.items())
    for job_id, (version, lease, guard) in held:
        Job.objects.filter(pk=job_id, version=version, state=Job.State.RUNNING).update(
            lease_until=clock.now() + timedelta(seconds=lease)
        )
        if guard is not None:
            guard.renew()


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
