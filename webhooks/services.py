"""The verbs of events: receive, process, choose, replay.

Receiving is in ``webhooks.receipt``; between it and processing lies ``webhooks.inbox``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from reservations import services as reservations
from reservations import sync
from reservations.errors import BadReservation, StaysError, UnknownListing
from reservations.models import Reservation
from reservations.stays.client import StaysClient, is_configured
from reservations.stays.payloads import parse_deleted, parse_reservation
from scheduler.errors import Retry
from smartlock.audit.services import record
from webhooks import inbox
from webhooks.envelope import ACTING, Treatment, parse, treatment
from webhooks.models import WebhookEvent
from webhooks.receipt import receive as receive  # two of the verbs
from webhooks.receipt import refuse as refuse
from webhooks.verification import Verdict, check_signature

log = structlog.get_logger(__name__)
State = WebhookEvent.State
Status = Reservation.Status
UNVERIFIED = (
    "The body is not verified and the Stays API is not configured, so nothing was changed: set STAYS_BASE_URL, "
    "STAYS_CLIENT_ID and STAYS_CLIENT_SECRET, or sign with STAYS_WEBHOOK_SECRET; then replay."
)
UNKNOWN_ONCE = "Stays does not know it; it is asked once more before it counts as gone."
OUTDATED = "Newer facts are known already."
FUTURE = timedelta(minutes=5)  # a sender's clock may be this far ahead of ours
TOGETHER = 500  # events of one reservation settled by one job


class _Unverified(Exception):
    """Nobody's word: neither signed nor to be read again."""


def process(event_id: int, *, now: datetime) -> None:
    """Settle an event together with all others of its reservation that wait, by one reading.

    An event is a pointer: with API credentials the reservation is read again, whatever the events say. Raises Retry
    while Stays cannot be read; impossible facts and unknown listings are parked with their reason.
    """
    events = _with_those_of_its_reservation(event_id)
    acting = [event for event in events if event.action in ACTING and event.external_id]
    for event in events:
        if event not in acting:
            _set_aside(event, now)
    if not acting:
        return
    if is_configured():
        _settle(acting, now, partial(_read_again, acting, now))
    else:
        for event in acting:
            _settle([event], now, partial(_believe_body, event, now))


def _with_those_of_its_reservation(event_id: int) -> list[WebhookEvent]:
    """All that are open, in the order in which they happened. The job's own may have been settled by another."""
    event = WebhookEvent.objects.filter(pk=event_id).first()
    if event is None:
        return []
    rows = WebhookEvent.objects.filter(state__in=WebhookEvent.OPEN)
    same = rows.filter(external_id=event.external_id) if event.external_id else rows.filter(pk=event_id)
    first = same.order_by("received_at", "id")[:TOGETHER]
    return sorted(first, key=lambda e: (e.occurred_at or e.received_at, e.pk))


def _settle(events: list[WebhookEvent], now: datetime, look: Callable[[], str]) -> None:
    """Close the events with what ``look`` says, or park them with what is wrong."""
    try:
        reason = look()
    except UnknownListing as error:
        _close(events, State.PARKED, now, str(error), listing_id=error.listing_id[:64])
    except BadReservation as error:
        _close(events, State.PARKED, now, str(error))
    except _Unverified:
        _close(events, State.PARKED, now, UNVERIFIED)
    except StaysError as error:
        raise Retry(str(error)) from error
    else:
        with transaction.atomic():
            _close(events, State.PROCESSED, now, reason)
            _try_parked_again(events[0], now)


def _read_again(events: list[WebhookEvent], now: datetime) -> str:
    external_id = events[0].external_id
    with StaysClient.from_settings() as client:
        if sync.read_again(client, external_id, now=now) is not None:
            return ""
    told = any(event.action.endswith(".deleted") or event.reason == UNKNOWN_ONCE for event in events)
    if not told:
        # Noted in the rows: only a second "unknown" counts, not a second try after a time-out.
        WebhookEvent.objects.filter(pk__in=[event.pk for event in events]).update(reason=UNKNOWN_ONCE)
        raise Retry(UNKNOWN_ONCE, after=3)
    known = reservations.find(external_id)
    if known is not None:
        reservations.end(known, Status.DELETED, facts_at=now, actor="webhook")
    return ""


def _believe_body(event: WebhookEvent, now: datetime) -> str:
    """Without API credentials a verified body is the truth as of its ``_dt``; an unverified one is nobody's word."""
    if not _is_verified(event):
        raise _Unverified
    if not event.body:
        raise BadReservation("The bytes of this event were erased together with the guest's data.")
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


def _try_parked_again(event: WebhookEvent, now: datetime) -> None:
    """What was parked for want of a mapping or of the stay itself may find its place now that one got through."""
    parked = WebhookEvent.objects.filter(state=State.PARKED, action__in=ACTING)
    inbox.put_back(parked.filter(external_id__in=reservations.names_of(event.external_id)), now=now)


def chosen(
    *, ids: Iterable[int] | None = None, states: Iterable[str] = (), start: datetime | None = None,
    end: datetime | None = None, external_id: str = "",
) -> QuerySet[WebhookEvent]:  # fmt: skip
    """Events by what is given of these, all of it at once; ``start`` to before ``end`` is when they came.

    ``external_id``: the stay by its long id or its short one, whichever of them an event gave.
    """
    given: Mapping[str, object] = {
        "pk__in": None if ids is None else list(ids), "state__in": list(states) or None, "received_at__gte": start,
        "received_at__lt": end,
        "external_id__in": reservations.names_of(external_id) or None,
    }  # fmt: skip
    return WebhookEvent.objects.filter(**{name: value for name, value in given.items() if value is not None})


@transaction.atomic
def replay(events: Iterable[int] | QuerySet[WebhookEvent], *, now: datetime, actor: str) -> int:
    """Process events once more, whatever became of them. Safe to repeat: the last known facts win.

    They go through the inbox behind whatever is new, at ``WEBHOOK_RATE`` a second, so that many of them do not fall
    upon Stays together.
    """
    asked = events if isinstance(events, QuerySet) else chosen(ids=events)
    rows = dict(asked.order_by("received_at", "id").values_list("pk", "action"))
    if not rows:
        return 0
    inbox.put_back(WebhookEvent.objects.filter(pk__in=rows), now=now)
    if len(rows) == 1:
        record("event.replayed", f"event:{next(iter(rows))}", actor=actor, summary=next(iter(rows.values())))
    else:
        record("events.replayed", "events", actor=actor, count=len(rows), ids=list(rows)[:100])
    return len(rows)


def _set_aside(event: WebhookEvent, now: datetime) -> None:
    """What nothing can be done with, or need not be."""
    match treatment(event.action):
        case Treatment.ACTS:
            _close([event], State.PARKED, now, "The event names no reservation (no _id and no id in its payload).")
        case Treatment.PARKED:
            _close([event], State.PARKED, now, inbox.unknown(event.action))
        case Treatment.DROPPED:
            _close([event], State.IGNORED, now)


def _close(
    events: list[WebhookEvent], state: WebhookEvent.State, now: datetime, reason: str = "", *, listing_id: str = ""
) -> None:
    rows = WebhookEvent.objects.filter(pk__in=[event.pk for event in events])
    rows.update(state=state, reason=reason, listing_id=listing_id, processed_at=now)
    log.info("event.closed", webhook_events=[event.pk for event in events], state=state.value)
