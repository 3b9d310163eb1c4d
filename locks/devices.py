"""What the locks say about themselves: online, battery. Read seldom: every call counts against the project's quota."""

from __future__ import annotations

from datetime import datetime

import structlog

from locks import doors
from locks.errors import DoorError
from locks.models import Lock

log = structlog.get_logger(__name__)


def read_devices(*, now: datetime) -> tuple[int, int]:
    """Read every lock that serves a unit; returns how many answered and how many did not.

    What a lock does not tell, such as the battery while it sleeps, stays as it was last known.
    """
    answered = silent = 0
    for lock in Lock.objects.filter(accommodations__active=True).distinct():
        try:
            read_device(lock, now=now)
            answered += 1
        except DoorError as error:
            silent += 1
            log.warning("lock.unread", lock=lock.pk, reason=str(error))
    return answered, silent


def read_device(lock: Lock, *, now: datetime) -> None:
    """Raises DoorError when the provider does not answer."""
    reading = doors.provider_for(lock.provider).read_device(lock.device)
    told = {"online": reading.online, "battery_percent": reading.battery_percent}
    facts = {name: value for name, value in told.items() if value is not None}
    Lock.objects.filter(pk=lock.pk).update(seen_at=now, **facts)
