"""What the demo's doors have to tell: who came in, batteries, a wrong PIN, and a code on one that is not ours.

Written down as if it had been read just now, so that the rounds leave it standing for a while.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from locks.models import BatteryReading, Credential, Lock, LockEvent, LockReport, Opening
from locks.provider import PinState

# Battery levels, one every ten days up to today; the last lock wants new batteries.
LEVELS = ((96, 94, 91, 89, 87), (78, 74, 69, 66, 61), (48, 41, 33, 25, 16))
CARETAKER = "Caseiro"


def furnish(device_ids: list[str], *, now: datetime) -> None:
    """Each door once: one that was read or compared before tells its own story."""
    fresh = Lock.objects.filter(device_id__in=device_ids, seen_at__isnull=True, report__isnull=True)
    for number, lock in enumerate(fresh.order_by("device_id")):
        _batteries(lock, LEVELS[number % len(LEVELS)], now)
        for credential in Credential.objects.filter(lock=lock, first_used_at__isnull=False):
            _visits(lock, credential)
        Opening.objects.create(
            lock=lock, at=now - timedelta(days=1, hours=3), method="fingerprint", name=CARETAKER, recorded_at=now
        )
        LockEvent.objects.create(
            lock=lock, at=now - timedelta(days=2, hours=number), kind=LockEvent.Kind.WRONG_PIN, word="wrong_password",
            recorded_at=now,
        )  # fmt: skip
        _report(lock, with_foreign=number == 0, now=now)


def _batteries(lock: Lock, levels: tuple[int, ...], now: datetime) -> None:
    for age, percent in enumerate(reversed(levels)):
        BatteryReading.objects.create(lock=lock, at=now - timedelta(days=10 * age), percent=percent)
    Lock.objects.filter(pk=lock.pk).update(
        battery_percent=levels[-1], battery_at=now, seen_at=now, heard_at=now, online=True, log_read_at=now,
        alarms_read_at=now,
    )  # fmt: skip


def _visits(lock: Lock, credential: Credential) -> None:
    """In at the first use, and again every day of the stay."""
    at = credential.first_used_at
    while at is not None and at < credential.ends_at:
        Opening.objects.create(
            lock=lock, at=at, method="temporary", ref=credential.provider_ref, credential=credential,
            who=Opening.Who.GUEST, matched_by=Opening.Match.REFERENCE, recorded_at=at + timedelta(minutes=20),
        )  # fmt: skip
        at += timedelta(hours=22, minutes=37)


def _report(lock: Lock, *, with_foreign: bool, now: datetime) -> None:
    owners = {
        "name": CARETAKER, "ref": "4242", "state": PinState.ON_LOCK.value,
        "starts_at": (now - timedelta(days=40)).isoformat(), "ends_at": (now + timedelta(days=325)).isoformat(),
    }  # fmt: skip
    foreign = [owners] if with_foreign else []
    LockReport.objects.create(
        lock=lock, tried_at=now, checked_at=now, actor="demo", held=len(foreign), foreign=len(foreign),
        found={"missing": [], "unwanted": [], "foreign": foreign, "changed": []},
    )  # fmt: skip
