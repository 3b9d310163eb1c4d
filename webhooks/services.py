"""Receiving, processing and replaying events. Receiving commits and returns; processing is a job."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
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
from webhooks.envelope import ACTING, Envelope, is_unknown, parse
from webhooks.models import Refusal, WebhookEvent
from webhooks.verification import Verdict, check_signature

log = structlog.get_logger(__name__)
State = WebhookEvent.State
Status = Reservation.Status
UNVERIFIED = "The body is not verified"
UNKNOWN_ONCE = "Stays does not know it; it is asked once more before it counts as gone."
OUTDATED = "Newer facts are known already."
PROCESS = "webhooks.process_event"
# The last three carry the address, and with it the token, when a proxy adds them.
SECRET_HEADERS = {
    "authorization", "cookie", "proxy-authorization", "x-original-uri", "x-original-url", "x-forwarded-uri",
}  # fmt: skip
FUTURE = timedelta(minutes=5)  # a sender's clock may be this far ahead of ours


@transaction.atomic
def receive(
    envelope: Envelope, *, headers: Mapping[str, str], body: bytes, verdict: Verdict, remote: str | None, now: datetime
) -> tuple[WebhookEvent, bool]:
    """Store a delivery and, when it may concern a door, the job that looks into it: one commit. True when new."""
    kept = {name: value.replace("\0", "") for name, value in headers.items() if name not in SECRET_HEADERS}
    proof = {"verification": verdict.value, "body": body, "headers": kept}
    event, created = WebhookEvent.objects.get_or_create(
        dedupe_key=envelope.dedupe_key,
        defaults={
            "action": envelope.action, "external_id": envelope.external_id, "occurred_at": envelope.occurred_at,
            "remote_address": remote, "received_at": now,
            "state": State.RECEIVED if envelope.acts else State.IGNORED, **proof,
        },
    )  # fmt: skip
    if not created:
        WebhookEvent.objects.filter(pk=event.pk).update(deliveries=F("deliveries") + 1)
        if verdict == Verdict.VERIFIED and event.verification != Verdict.VERIFIED:
            _take_proven(event, proof, now)
    elif envelope.acts:
        _schedule(event, now)
    elif envelope.is_unknown:
        _set_aside(event, now)
    return event, created


def refuse(reason: str, *, now: datetime) -> None:
    """Count a delivery that was turned away."""
    with transaction.atomic():
        row, _created = Refusal.objects.get_or_create(day=now.date(), reason=reason)
        Refusal.objects.filter(pk=row.pk).update(count=F("count") + 1)


def process(event_id: int, *, now: datetime) -> None:
    """Apply one event. An event is a pointer: with API credentials the reservation is read again, whatever it says.

    Raises Retry while Stays cannot be read; impossible facts and unknown listings are parked with their reason.
    """
    event = WebhookEvent.objects.filter(pk=event_id, state=State.RECEIVED).first()
    if event is None:
        return
    if event.action not in ACTING:  # replayed all the same
        _set_aside(event, now)
        return
    if not event.external_id:
        _close(event, State.PARKED, now, "The event names no reservation (no _id and no id in its payload).")
        return
    try:
        reason = _read_again(event, now) if is_configured() else _believe_body(event, now)
    except (BadReservation, UnknownListing) as error:
        _close(event, State.PARKED, now, str(error))
    except StaysError as error:
        raise Retry(str(error)) from error
    else:
        if reason.startswith(UNVERIFIED):
            _close(event, State.PARKED, now, reason)
            return
        with transaction.atomic():
            _close(event, State.PROCESSED, now, reason)
            _try_parked_again(event, now)


def _read_again(event: WebhookEvent, now: datetime) -> str:
    with StaysClient.from_settings() as client:
        if sync.read_again(client, event.external_id, now=now) is not None:
            return ""
    if not event.action.endswith(".deleted") and event.reason != UNKNOWN_ONCE:
        # Noted in the row: only a second "unknown" counts, not a second try after a time-out.
        WebhookEvent.objects.filter(pk=event.pk).update(reason=UNKNOWN_ONCE)
        raise Retry(UNKNOWN_ONCE, after=3)
    known = reservations.find(event.external_id)
    if known is not None:
        reservations.end(known, Status.DELETED, facts_at=now, actor="webhook")
    return ""


def _believe_body(event: WebhookEvent, now: datetime) -> str:
    """Without API credentials a verified body is the truth as of its ``_dt``; an unverified one is nobody's word."""
    if not _is_verified(event):
        return (
            f"{UNVERIFIED} and the Stays API is not configured, so nothing was changed: set STAYS_BASE_URL, "
            "STAYS_CLIENT_ID and STAYS_CLIENT_SECRET, or sign with STAYS_WEBHOOK_SECRET; then replay."
        )
    envelope = parse(bytes(event.body))
    facts_at = min(event.occurred_at or event.received_at, now + FUTURE)
    payload = dict(envelope.payload)
    known = reservations.find(event.external_id)
    if known is not None and known.facts_at > facts_at:
        return OUTDATED
    if known is not None:
        payload["_id"] = known.external_id
    if envelope.action.endswith(".deleted"):
        # Unknown so far: a tombstone, so that a late "created" does not bring it back.
        if known is None:
            reservations.save_facts(parse_deleted(payload), facts_at=facts_at, actor="webhook")
        else:
            reservations.end(known, Status.DELETED, facts_at=facts_at, actor="webhook")
        return ""
    cancels = "cancel" in envelope.action
    if cancels:
        payload["type"] = Status.CANCELED.value
    try:
        reservations.save_facts(parse_reservation(payload), facts_at=facts_at, actor="webhook")
    except (BadReservation, UnknownListing):
        if known is None or not cancels:
            raise
        # Some senders give nothing but the id, and what ends a stay must not fail on anything else.
        reservations.end(known, Status.CANCELED, facts_at=facts_at, actor="webhook")
    return ""


def _is_verified(event: WebhookEvent) -> bool:
    """Also when the secret was only set after the event had come: headers and body are kept for that."""
    if event.verification == Verdict.VERIFIED:
        return True
    verdict = check_signature(event.headers, bytes(event.body), settings.STAYS_WEBHOOK_SECRETS)
    if verdict == Verdict.VERIFIED:
        WebhookEvent.objects.filter(pk=event.pk).update(verification=verdict.value)
    return verdict == Verdict.VERIFIED


def _take_proven(event: WebhookEvent, proof: dict[str, Any], now: datetime) -> None:
    """The same event came again, this time with a good signature: that copy is the one that counts."""
    WebhookEvent.objects.filter(pk=event.pk).update(**proof)
    if event.action in ACTING:
        _reopen(event, now)


def _try_parked_again(event: WebhookEvent, now: datetime) -> None:
    """What was parked for want of a mapping or of the stay itself may find its place now that one got through."""
    for parked in WebhookEvent.objects.filter(
        state=State.PARKED, action__in=ACTING, external_id__in=_names(event.external_id)
    ):
        _reopen(parked, now)


def _names(external_id: str) -> set[str]:
    known = reservations.find(external_id)
    return {external_id, *((known.external_id, known.short_id) if known else ())} - {""}


def replay(event_ids: Iterable[int], *, now: datetime, actor: str) -> int:
    """Process events once more, whatever became of them. Safe to repeat: the last known facts win."""
    replayed = 0
    with transaction.atomic():
        for event in WebhookEvent.objects.filter(pk__in=list(event_ids)).order_by("received_at", "id"):
            _reopen(event, now)
            record("event.replayed", event.subject, actor=actor, summary=event.action)
            replayed += 1
    return replayed


def _reopen(event: WebhookEvent, now: datetime) -> None:
    WebhookEvent.objects.filter(pk=event.pk).update(state=State.RECEIVED, reason="", processed_at=None)
    _schedule(event, now)


def _schedule(event: WebhookEvent, now: datetime) -> None:
    subject = f"stays:{event.external_id}"[:64] if event.external_id else event.subject
    jobs.schedule(
        PROCESS, due_at=now, now=now, subject=subject,
        live_key=f"{PROCESS}:{event.pk}", payload={"event": event.pk},
    )  # fmt: skip


def _set_aside(event: WebhookEvent, now: datetime) -> None:
    if is_unknown(event.action):
        _close(event, State.PARKED, now, f"{event.action} is not an action we know: look at its body.")
    else:
        _close(event, State.IGNORED, now)


def _close(event: WebhookEvent, state: WebhookEvent.State, now: datetime, reason: str = "") -> None:
    WebhookEvent.objects.filter(pk=event.pk).update(state=state, reason=reason, processed_at=now)
    log.info("event.closed", webhook_event=event.pk, action=event.action, state=state.value)
