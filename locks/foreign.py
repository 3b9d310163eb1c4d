"""Takes a code off a lock that is not ours: only one that somebody named, never by itself, and never one of ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from locks import doors
from locks.errors import Refused, WaitForDevice
from locks.models import Credential, Lock, LockReport
from locks.provider import PinReading, PinState
from scheduler import services as jobs
from scheduler.models import Job
from smartlock.audit.services import record

REMOVE_FOREIGN = "locks.remove_foreign"


def named(codes: list[PinReading] | tuple[PinReading, ...], reference: str) -> list[PinReading]:
    """Those of the codes that a person means by a name or a number."""
    return [code for code in codes if reference in (code.name, code.ref)]


@transaction.atomic
def order_removal(lock: Lock, code: PinReading, *, now: datetime, actor: str) -> Job:
    """Have it taken off by a job, which tries until its absence is proven."""
    record("lock.foreign_removal", f"lock:{lock.pk}", actor=actor, summary=lock.name, ref=code.ref, name=code.name)
    return jobs.schedule(
        REMOVE_FOREIGN, subject=f"lock:{lock.pk}", live_key=f"{REMOVE_FOREIGN}:lock:{lock.pk}:{code.ref}",
        payload={"lock": lock.pk, "ref": code.ref}, due_at=now, now=now,
    )  # fmt: skip


def remove_foreign(lock_id: int, ref: str, *, check: Callable[[], None], now: Callable[[], datetime]) -> None:
    """Delete it and read its absence back. Raises DoorError until that is proven; Refused when it is one of ours."""
    lock = Lock.objects.get(pk=lock_id)
    provider = doors.provider_for(lock.provider)
    reading = provider.read_pin(lock.device, ref)
    is_ours = Q(provider_ref=ref) | Q(name=reading.name)
    if Credential.objects.filter(is_ours, lock=lock, removed_at__isnull=True).exists():
        raise Refused(f"Code {ref} on {lock.name} is one of ours: revoke its stay's PINs instead.")
    if reading.state not in (PinState.GONE, PinState.REMOVING):
        check()
        provider.delete_pin(lock.device, ref)
        reading = provider.read_pin(lock.device, ref)
    if reading.state != PinState.GONE:
        raise WaitForDevice(f"{lock.name} has not confirmed the removal ({reading.state.value}).{lock.rouse_hint}")
    _forget(lock, ref)
    record("lock.foreign_removed", f"lock:{lock.pk}", summary=lock.name, ref=ref)


@transaction.atomic
def _forget(lock: Lock, ref: str) -> None:
    """The last report need not name it any longer."""
    report = LockReport.objects.select_for_update().filter(lock=lock).first()
    codes = report.found.get("foreign", []) if report else []
    left = [code for code in codes if code["ref"] != ref]
    if report and len(left) < len(codes):
        report.found = {**report.found, "foreign": left}
        report.foreign, report.held = len(left), max(0, (report.held or 1) - 1)
        report.save(update_fields=["found", "foreign", "held"])
