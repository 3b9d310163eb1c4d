"""``/api/events``: what the outside told us, what became of it, and doing it once more."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from reservations import services as reservations
from scheduler import clock
from smartlock.admin.events import redacted
from smartlock.api.callers import Token, actor
from smartlock.api.problems import Problem
from smartlock.api.shapes import (
    ABSENT,
    Body,
    Done,
    DryRun,
    EventState,
    Filter,
    Instant,
    Number,
    Page,
    Something,
    Words,
    page,
)
from webhooks import services
from webhooks.models import WebhookEvent

router = Router(tags=["events"])
READ, WRITE = Token("events:read"), Token("events:write")
EventId = Annotated[Number, Path()]


class EventRow(Schema):
    """``occurred_at`` is the sender's own time; ``reason`` says why it is parked or ignored."""

    id: int
    source: str
    action: str
    external_id: str
    state: EventState
    reason: str
    verification: str
    deliveries: int
    occurred_at: datetime | None
    received_at: datetime
    processed_at: datetime | None


class EventDetail(EventRow):
    """Headers that could prove somebody's identity are blacked out."""

    remote_address: str | None
    headers: dict[str, Any]
    body: Any


class EventWhich(Schema):
    state: list[EventState] = []
    source: Words = ABSENT
    action: Words = ABSENT
    external_id: Annotated[Words, Field(description="the reservation it points to, by any of its ids at Stays")] = (
        ABSENT
    )
    received_from: Instant = ABSENT
    received_to: Instant = ABSENT

    def rows(self) -> QuerySet[WebhookEvent]:
        wanted: dict[str, Any] = {
            "state__in": self.state or None, "source": self.source, "action": self.action,
            "external_id__in": reservations.names_of(self.external_id) if self.external_id else None,
            "received_at__gte": self.received_from, "received_at__lte": self.received_to,
        }  # fmt: skip
        found = WebhookEvent.objects.defer("body", "headers").order_by("-received_at", "-pk")
        return found.filter(**{name: value for name, value in wanted.items() if value is not None})


class EventFilter(Filter, EventWhich):
    pass


class EventChoice(Something, EventWhich):
    """Which events are meant: those that fit all of the fields; at least one is needed."""

    ids: Annotated[list[Number], Field(min_length=1, max_length=1000)] = ABSENT

    def rows(self) -> QuerySet[WebhookEvent]:
        found = super().rows()
        return found.filter(pk__in=self.ids) if self.ids else found


class Replay(Body):
    filter: EventChoice
    dry_run: DryRun = False


@router.get("", response=Page[EventRow], auth=READ, summary="List webhook events")
def list_events(request: HttpRequest, chosen: Query[EventFilter]) -> Any:
    found, beside = page(chosen.rows(), chosen)
    return {"items": [_row(event) for event in found], **beside}


@router.get("/{int:event_id}", response=EventDetail, auth=READ, summary="An event as it came, secrets blacked out")
def get_event(request: HttpRequest, event_id: EventId) -> Any:
    event = _the_event(event_id)
    return {
        **_row(event), "remote_address": event.remote_address, "headers": redacted(event.headers),
        "body": _readable(bytes(event.body)),
    }  # fmt: skip


@router.post("/{int:event_id}/replay", response=EventRow, auth=WRITE, summary="Process an event once more")
def replay_event(request: HttpRequest, event_id: EventId) -> Any:
    """Safe: the last known facts win."""
    services.replay([_the_event(event_id).pk], now=clock.now(), actor=actor(request))
    return _row(_the_event(event_id))


@router.post("/replay", response=Done, auth=WRITE, summary="Process many events once more")
def replay_events(request: HttpRequest, body: Replay) -> Any:
    ids = list(body.filter.rows().values_list("pk", flat=True))
    replayed = 0 if body.dry_run else services.replay(ids, now=clock.now(), actor=actor(request))
    return {"dry_run": body.dry_run, "matched": len(ids), "changed": replayed}


def _row(event: WebhookEvent) -> dict[str, Any]:
    return {name: getattr(event, name) for name in EventRow.model_fields}


def _the_event(event_id: int) -> WebhookEvent:
    event = WebhookEvent.objects.filter(pk=event_id).first()
    if event is None:
        raise Problem(404, f"No event has the number {event_id}.")
    return event


def _readable(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")
