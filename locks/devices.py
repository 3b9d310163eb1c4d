"""What a lock says about itself: online, battery. Read seldom: every call counts against the project's quota."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from locks import doors
from locks.models import BatteryReading, Lock


def read_device(lock: Lock, *, now: datetime) -> None:
    """Raises DoorError when the provider does not answer. What the lock does not tell stays as it was last known."""
    reading = doors.provider_for(lock.provider).read_device(lock.device)
    note_state(lock, online=reading.online, battery=reading.battery_percent, now=now)


@transaction.atomic
def note_state(lock: Lock, *, online: bool | None, battery: int | None, now: datetime) -> None:
    """Keep what a reading, or a push message, told. A lock that is online gave a sign of life."""
    facts: dict[str, object] = {"seen_at": now}
    if online is not None:
        facts["online"] = online
    if online:
        facts["heard_at"] = now
    if battery is not None and (online or battery != lock.battery_percent):  # a sleeping lock's value is an old one
        facts |= {"battery_percent": battery, "battery_at": now}
    Lock.objects.filter(pk=lock.pk).update(**facts)
    if battery is not None:
        _note_battery(lock, battery, now)


def _note_battery(lock: Lock, percent: int, now: datetime) -> None:
    """Only levels that differ from the one before; the oldest make room."""
    readings = BatteryReading.objects.filter(lock=lock)
    last = readings.first()
    if last is not None and last.percent == percent:
        return
    BatteryReading.objects.create(lock=lock, at=now, percent=percent)
    kept = readings.values_list("pk", flat=True)[: BatteryReading.KEPT]
    readings.exclude(pk__in=list(kept)).delete()
