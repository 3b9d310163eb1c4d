"""Hashes PINs when nothing else is to be done: bcrypt costs a fifth of a second of a processor, on purpose.

A row with a sealed PIN and no hash is what is still to be done, so a crash loses nothing. Until then the PIN is as
safe as its sealed copy, which is there either way.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from django.conf import settings

from locks import sealing
from locks.models import Credential
from locks.signals import credential_changed
from scheduler.models import Job

SECONDS = 4.0  # one tick's share; ticks come every five seconds
PINS_AT_ONCE = 200
CORES = os.cpu_count() or 1
LATELY = timedelta(minutes=10)  # a job at a door that has been due for longer waits for something else than us


def hash_pins(*, now: datetime, seconds: float = SECONDS) -> int:
    """Hash what waits, oldest first, until a job at a door is due or the time is up. Returns how many were hashed."""
    until, done = time.monotonic() + seconds, 0
    waiting = Credential.objects.filter(Credential.UNHASHED).order_by("pk")[:PINS_AT_ONCE]
    with ThreadPoolExecutor(CORES) as threads:
        for few in _by_cores(list(waiting)):
            passed = timedelta(seconds=seconds - (until - time.monotonic()))
            if time.monotonic() > until or _doors_are_waiting(now + passed):
                break
            # bcrypt lets go of the interpreter, so each core hashes one; the database is this thread's affair.
            digits = [sealing.unseal(credential.pin_sealed) for credential in few]
            for credential, hashed in zip(few, threads.map(sealing.hash_pin, digits), strict=True):
                done += _keep(credential, hashed)
    return done


def _by_cores(waiting: list[Credential]) -> Iterator[list[Credential]]:
    for start in range(0, len(waiting), CORES):
        yield waiting[start : start + CORES]


def _keep(credential: Credential, hashed: str) -> int:
    """Writes nothing when the PIN has been erased, or hashed by another, meanwhile."""
    written = Credential.objects.filter(Credential.UNHASHED, pk=credential.pk).update(pin_hash=hashed)
    if written and settings.PIN_KEEP == "delivered":  # now the readable copy may go
        credential_changed.send(Credential, credential=credential, settled=True)
    return written


def _doors_are_waiting(now: datetime) -> bool:
    due = Job.objects.filter(queue="pins", state__in=Job.LIVE, run_at__lte=now, run_at__gt=now - LATELY)
    return due.exists()
