"""What a lock tells by itself through its provider's push: turned into facts, signals and an earlier look."""

from __future__ import annotations

import time
from datetime import datetime

import structlog

from locks import devices, doors
from locks.models import Lock
from locks.plan import KINDS
from locks.planning import hurry
from locks.signals import door_alarmed, door_opened
from locks.tuya import decoding
from locks.tuya.push import Heard

log = structlog.get_logger(__name__)
# A lock that has just woken needs a moment to fetch what is new.
LOOKS_AFTER_SECONDS = (2.0, 8.0)


class Listener:
    """Remembers which locks to look at again soon. ``handle`` and ``idle`` are called from one thread."""

    def __init__(self) -> None:
        self._looks: list[tuple[float, int]] = []

    def handle(self, heard: Heard, *, now: datetime) -> bool:
        """Returns whether it was about a lock of ours. What is sent on is safe to hear twice."""
        lock = Lock.objects.filter(provider=Lock.Provider.TUYA, device_id=heard.device_id).first()
        if lock is None:
            return False
        _note(lock, heard, now)
        if heard.online is not False:
            # Whatever it reports, it is awake: a pause that was meant to spare calls is over.
            doors.try_again(lock=lock)
            self._looks += [(time.monotonic() + seconds, lock.pk) for seconds in LOOKS_AFTER_SECONDS]
        _send_on(lock, heard)
        return True

    def idle(self, *, now: datetime) -> int:
        """Bring forward what waits for the locks that were heard of. Returns how many jobs."""
        due = {pk for at, pk in self._looks if at <= time.monotonic()}
        if not due:
            return 0
        self._looks = [(at, pk) for at, pk in self._looks if at > time.monotonic()]
        return sum(hurry(*KINDS, now=now, payload__lock=pk) for pk in due)


def _note(lock: Lock, heard: Heard, now: datetime) -> None:
    """Whatever it reports, it is awake: only "offline" is no sign of life."""
    battery = decoding.battery({"status": [entry["status"] for entry in heard.entries]})
    devices.note_state(lock, online=heard.online, battery=battery, now=now)


def _send_on(lock: Lock, heard: Heard) -> None:
    for entry in heard.entries:
        for opening in decoding.door_openings(entry, lock.device):
            door_opened.send(Lock, lock=lock, opening=opening)
        for alarm in decoding.door_alarms(entry):
            door_alarmed.send(Lock, lock=lock, alarm=alarm)
