"""What the demo's past looks like: PINs that were on a door and went, jobs with their tries, events that came in."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta

from locks import sealing
from locks.models import Credential, Lock
from locks.plan import GENERATE, REVOKE
from reservations.models import Reservation
from scheduler.models import Job, JobAttempt
from smartlock.audit.services import record
from webhooks.models import WebhookEvent

Outcome = JobAttempt.Outcome
LEAD = timedelta(minutes=60)
ASLEEP = "The lock did not answer in time; it is asked again."


def past_stay(stay: Reservation, *, tries: int) -> None:
    """A stay that ran its course: PIN on the door an hour before check-in, off at check-out, maybe after some tries."""
    for lock in Lock.objects.filter(accommodations=stay.accommodation_id):
        given = _done(stay, lock, GENERATE, stay.check_in_at - LEAD, tries=1)
        gone = _done(stay, lock, REVOKE, stay.check_out_at, tries=tries)
        credential = Credential.objects.create(
            reservation=stay, lock=lock, name=f"SL {secrets.token_hex(6)}", provider_ref=f"demo{secrets.token_hex(4)}",
            pin_fingerprint=sealing.fingerprint(secrets.token_hex(8)),  # of no digits: nobody ever had this PIN
            state=Credential.State.ABSENT, wanted=False, unwanted_at=stay.check_out_at, created_at=given,
            starts_at=stay.check_in_at, ends_at=stay.check_out_at, asked_at=given,
            asked_starts_at=stay.check_in_at, asked_ends_at=stay.check_out_at,
            lock_starts_at=stay.check_in_at, lock_ends_at=stay.check_out_at,
            first_used_at=stay.check_in_at + timedelta(minutes=12), removal_tried_at=stay.check_out_at,
            proven_at=gone, removed_at=gone,
        )  # fmt: skip
        for action, at in (("pin.proven", given), ("pin.removed", gone)):
            entry = record(action, stay.subject, summary=lock.name, credential=credential.pk)
            type(entry).objects.filter(pk=entry.pk).update(at=at)


def _done(stay: Reservation, lock: Lock, kind: str, due_at: datetime, *, tries: int) -> datetime:
    """A job that succeeded at its last try; returns when."""
    job = Job.objects.create(
        kind=kind, subject=stay.subject, payload={"lock": lock.pk}, queue="pins", priority=2, exclusive=True,
        state=Job.State.SUCCEEDED, due_at=due_at, run_at=due_at, attempt=tries, max_attempts=max(3, tries),
        worker="worker@demo", created_at=due_at - timedelta(days=2), updated_at=due_at, finished_at=due_at,
    )  # fmt: skip
    started = due_at
    for number in range(1, tries + 1):
        last = number == tries
        started += timedelta(milliseconds=40 + 7 * number)
        finished = started + timedelta(milliseconds=640)
        JobAttempt.objects.create(
            job=job, number=number, started_at=started, finished_at=finished, worker=job.worker,
            outcome=Outcome.SUCCEEDED if last else Outcome.RETRY, error="" if last else ASLEEP,
            error_class="" if last else "Transient", lateness_ms=40 + 7 * number,
        )  # fmt: skip
        started = finished + timedelta(seconds=2**number)
    Job.objects.filter(pk=job.pk).update(finished_at=finished)
    return finished


def events(now: datetime, *, known: str, unknown: str) -> None:
    """One event that was processed, and one that waits for a person: its listing is mapped to no unit."""
    _event("demo-event-1", known, now - timedelta(days=7), WebhookEvent.State.PROCESSED, "")
    _event(
        "demo-event-2", unknown, now - timedelta(hours=5), WebhookEvent.State.PARKED,
        f"No accommodation is mapped to the Stays listing {unknown}: "
        "add it, or enter this id on the accommodation; what waits for it then goes through.",
    )  # fmt: skip


def _event(key: str, listing: str, at: datetime, state: WebhookEvent.State, reason: str) -> None:
    reservation_id = f"{key}-{listing[-2:]}"
    action = "reservation.created"
    body = {
        "action": action,
        "_dt": at.isoformat(),
        "payload": {
            "_id": reservation_id, "id": "DEMOEV", "type": "booked", "_idlisting": listing,
            "checkInDate": f"{at + timedelta(days=1):%Y-%m-%d}", "checkInTime": "15:00",
            "checkOutDate": f"{at + timedelta(days=4):%Y-%m-%d}", "checkOutTime": "11:00",
        },
    }  # fmt: skip
    WebhookEvent.objects.get_or_create(
        dedupe_key=key,
        defaults={
            "action": action, "external_id": reservation_id, "occurred_at": at, "received_at": at,
            "processed_at": at + timedelta(seconds=1), "verification": WebhookEvent.Verification.VERIFIED,
            "headers": {"content-type": "application/json", "user-agent": "demo"}, "remote_address": "127.0.0.1",
            "body": json.dumps(body).encode(), "state": state, "reason": reason,
        },
    )  # fmt: skip
