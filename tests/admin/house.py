"""A house with everything in it, so that every page has something to show."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_celery_results.models import TaskResult

from locks import sealing
from locks.models import Credential, Lock, StaffCode
from notifications.decide import Knows
from notifications.models import Message, Notice
from reservations.models import Accommodation, Reservation
from scheduler.models import Heartbeat, Job, JobAttempt
from smartlock.audit.services import record
from tests.builders import make_accommodation, make_lock, make_reservation
from webhooks.models import Refusal, WebhookEvent

PIN = "8203714"
SECRET = "sha256=5f2b0c77deadbeef"


def make_stay(unit: Accommodation, lock: Lock, now: datetime) -> Reservation:
    """In house, with a proven PIN, jobs, a try, a message, an event, a line in the audit trail, and a cleaner."""
    today = now.astimezone(unit.zone).date()
    stay = make_reservation(
        unit, facts_at=now, check_in_date=today - timedelta(days=1), check_out_date=today + timedelta(days=1)
    )
    Credential.objects.create(
        reservation=stay, lock=lock, name=f"SL {stay.pk}", pin_sealed=sealing.seal(PIN), pin_hash=sealing.hash_pin(PIN),
        pin_fingerprint=sealing.fingerprint(PIN), provider_ref=str(stay.pk), starts_at=stay.check_in_at,
        ends_at=stay.check_out_at, state=Credential.State.ON_LOCK, asked_at=now, asked_starts_at=stay.check_in_at,
        asked_ends_at=stay.check_out_at, lock_starts_at=stay.check_in_at, lock_ends_at=stay.check_out_at, proven_at=now,
    )  # fmt: skip
    job = Job.objects.filter(subject=stay.subject).order_by("pk")[0]
    JobAttempt.objects.create(
        job=job, number=1, started_at=now, finished_at=now, outcome="retry", error="Asleep.", traceback="Traceback …"
    )
    Message.objects.create(
        reservation=stay, template="pin_ready", to="ana@example.com", language="pt-br", state="sent", sent_at=now,
        knows=Knows(unit.pk, stay.check_in_at, stay.check_out_at, {str(lock.pk): sealing.fingerprint(PIN)}).as_json(),
    )  # fmt: skip
    WebhookEvent.objects.create(
        action="reservation.created", external_id=stay.external_id, dedupe_key=f"key-{stay.pk}",
        verification="verified",
        headers={"x-stays-signature": SECRET, "Authorization": "Basic c2VjcmV0", "user-agent": "got"},
        body=b'{"action": "reservation.created", "payload": {"_id": "1"}}', state="parked", reason="No unit.",
    )  # fmt: skip
    cleaning = StaffCode.objects.create(name="Cleaning", starts_at=now, ends_at=now + timedelta(days=9))
    cleaning.locks.add(lock)
    cleaning.accommodations.add(unit)
    Notice.objects.create(code="door_far", title="A door", text="Look at it.", subject=stay.subject)
    record("pin.proven", stay.subject, actor="system", summary="Porta")
    return stay


def make_house(stays: int, now: datetime) -> list[Reservation]:
    """Each stay in a unit with a lock of its own."""
    Heartbeat.objects.update_or_create(name="dispatcher", defaults={"beat_at": now})
    Refusal.objects.get_or_create(day=now.date(), reason="bad_token", defaults={"count": 3})
    made = []
    for _ in range(stays):
        unit = make_accommodation()
        made.append(make_stay(unit, make_lock(unit), now))
        TaskResult.objects.create(task_id=f"task-{made[-1].pk}", task_name="locks.generate_pin", status="SUCCESS")
    return made
