"""Receiving, processing and replaying events. Receiving commits and returns; processing is a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from reservations import services as reservations
from reservations import sync
from reservations.errors import BadReservation, StaysError, UnknownListing
from reservations.models import Reservation
from reservations.stays.client import StaysClient, is_configured
from reservations.stays.payloads import parse_deleted, parse_reservation
from scheduler import services as jobs
from scheduler.errors import Retry
from smartlock.audit.services import record
from webhooks.envelope import Envelope, parse
from webhooks.models import Refusal, WebhookEvent
from webhooks.verification import Verdict

log = structlog.get_logger(__name__)
State = WebhookEvent.State
Status = Reservation.Status
UNVERIFIED = "The body is not verified"
PROCESS = "webhooks.process_event"
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization"}
FUTURE = timedelta(minutes=5)  # a sender's clock may be this far ahead of ours


@transaction.atomic
def receive(
    envelope: Envelope, *, headers: Mapping[str, str], body: bytes, verdict: Verdict, remote: str | None, now: datetime
) -> tuple[WebhookEvent, bool]:
    """Store a delivery and, when it may concern a door, the job that looks into it: one commit. True when new."""
    event, created = WebhookEvent.objects.get_or_create(
        dedupe_key=envelope.dedupe_key,
        defaults={
            "action": envelope.action, "external_id": envelope.external_id, "occurred_at": envelope.occurred_at,
            "verification": verdict.value, "body": body, "remote_address": remote, "received_at": now,
            "headers": {name: value for name, value in headers.items() if name not in SECRET_HEADERS},
            "state": State.RECEIVED if envelope.acts else State.IGNORED,
        },
    )  # fmt: skip
    if not created:
        WebhookEvent.objects.filter(pk=event.pk).update(deliveries=F("deliveries") + 1)
    elif envelope.is_unknown:
        _close(event, State.PARKED, now, f"{envelope.action} is not an action we know: look at its body.")
    elif envelope.acts:
        _schedule(event, now)
    return event, created


def refuse(reason: str, *, now: datetime) -> None:
    """Count a delivery that was turned away."""
    with transaction.atomic():
        row, _created = Refusal.objects.get_or_create(day=now.date(), reason=reason)
        Refusal.objects.filter(pk=row.pk).update(count=F("count") + 1)


def process(event_id: int, *, attempt: int, now: datetime) -> None:
    """Apply one event. An event is a pointer: with API credentials the reservation is read again, whatever it says.

    Raises Retry while Stays cannot be read; impossible facts and unknown listings are parked with their reason.
    """
    event = WebhookEvent.objects.get(pk=event_id)
    if event.state != State.RECEIVED:
        return
    if not event.external_id:
        _close(event, State.PARKED, now, "The event names no reservation (no _id and no id in its payload).")
        return
    try:
        reason = _read_again(event, attempt, now) if is_configured() else _believe_body(event, now)
    except (BadReservation, UnknownListing) as error:
        _close(event, State.PARKED, now, str(error))
    except StaysError as error:
        raise Retry(str(error)) from error
    else:
        _close(event, State.PARKED if reason.startswith(UNVERIFIED) else State.PROCESSED, now, reason)


def _read_again(event: WebhookEvent, attempt: int, now: datetime) -> str:
    with StaysClient.from_settings() as client:
        if sync.read_again(client, event.external_id, now=now) is not None:
            return ""
    if not event.action.endswith(".deleted") and attempt < 2:
        raise Retry(
            f"Stays does not know {event.external_id}; it is asked once more before it counts as gone.", after=3
        )
    known = reservations.find(event.external_id)
    if known is not None:
        reservations.end(known, Status.DELETED, facts_at=now, actor="webhook")
    return ""


def _believe_body(event: WebhookEvent, now: datetime) -> str:
    """Without API credentials a verified body is the truth as of its ``_dt``; an unverified one is nobody's word."""
    if event.verification != WebhookEvent.Verification.VERIFIED:
        return (
            f"{UNVERIFIED} and the Stays API is not configured, so nothing was changed: set STAYS_BASE_URL, "
            "STAYS_CLIENT_ID and STAYS_CLIENT_SECRET, or sign with STAYS_WEBHOOK_SECRET; then replay."
        )
    envelope = parse(bytes(event.body))
    facts_at = min(event.occurred_at or event.received_at, now + FUTURE)
    payload = dict(envelope.payload)
    known = reservations.find(event.external_id)
    if known is not None:
        payload["_id"] = known.external_id
    if envelope.action.endswith(".deleted"):
        # Unknown so far: a tombstone, so that a late "created" does not bring it back.
        ended = known is not None and reservations.end(known, Status.DELETED, facts_at=facts_at, actor="webhook")
        if known is None:
            reservations.save_facts(parse_deleted(payload), facts_at=facts_at, actor="webhook")
        return "" if ended or known is None else "Newer facts are known already."
    if "cancel" in envelope.action:
        payload["type"] = Status.CANCELED.value
        if known is not None and not payload.get("checkInDate"):  # some senders give nothing but the id
            reservations.end(known, Status.CANCELED, facts_at=facts_at, actor="webhook")
            return ""
    reservations.save_facts(parse_reservation(payload), facts_at=facts_at, actor="webhook")
    return ""


def replay(event_ids: Iterable[int], *, now: datetime, actor: str) -> int:
    """Process events once more, whatever became of them. Safe to repeat: the last known facts win."""
    replayed = 0
    with transaction.atomic():
        for event in WebhookEvent.objects.filter(pk__in=list(event_ids)).order_by("received_at", "id"):
            event.state, event.reason, event.processed_at = State.RECEIVED, "", None
            event.save(update_fields=["state", "reason", "processed_at"])
            _schedule(event, now)
            record("event.replayed", event.subject, actor=actor, summary=event.action)
            replayed += 1
    return replayed


def _schedule(event: WebhookEvent, now: datetime) -> None:
    jobs.schedule(
        PROCESS, due_at=now, now=now, subject=f"stays:{event.external_id}" if event.external_id else event.subject,
        live_key=f"{PROCESS}:{event.pk}", payload={"event": event.pk},
    )  # fmt: skip


def _close(event: WebhookEvent, state: WebhookEvent.State, now: datetime, reason: str = "") -> None:
    WebhookEvent.objects.filter(pk=event.pk).update(state=state, reason=reason, processed_at=now)
    log.info("event.closed", webhook_event=event.pk, action=event.action, state=state.value)
