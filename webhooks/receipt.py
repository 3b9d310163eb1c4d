"""Storing what was accepted: the event's row is committed before the sender is answered.

The row is the inbox; ``webhooks.inbox`` hands it on later. Deliveries that come at the same time share one INSERT and
one commit (``webhooks.grouping``). The INSERT is written by hand: going through model instances costs more processor
time than all the rest of a request (docs/decisions/0040).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from scheduler import prepared
from webhooks import inbox
from webhooks.envelope import Envelope, Treatment
from webhooks.grouping import Group
from webhooks.models import Refusal, WebhookEvent
from webhooks.verification import Verdict

log = structlog.get_logger(__name__)
State = WebhookEvent.State
# The last three carry the address, and with it the token, when a proxy adds them.
SECRET_HEADERS = {
    "authorization", "cookie", "proxy-authorization", "x-original-uri", "x-original-url", "x-forwarded-uri",
}  # fmt: skip
STATES = {
    Treatment.ACTS: State.RECEIVED.value, Treatment.DROPPED: State.IGNORED.value, Treatment.PARKED: State.PARKED.value,
}  # fmt: skip
AT_ONCE = 64  # deliveries in one statement

COLUMNS = (
    "source", "action", "external_id", "listing_id", "occurred_at", "dedupe_key", "verification", "headers", "body",
    "remote_address", "state", "reason", "deliveries", "received_at", "processed_at",
)  # fmt: skip
TABLE = WebhookEvent._meta.db_table
COUNTED = (
    f"ON CONFLICT (dedupe_key) DO UPDATE SET deliveries = {TABLE}.deliveries + excluded.deliveries"
    " RETURNING dedupe_key, id, deliveries, verification"
)


class Delivery(NamedTuple):
    """One accepted delivery, as it will be kept."""

    envelope: Envelope
    source: str
    headers: str  # JSON
    body: bytes
    verdict: Verdict
    remote: str | None
    now: datetime


class Stored(NamedTuple):
    """``created`` is False for an event that was here before."""

    event_id: int
    created: bool


def receive(
    envelope: Envelope, *, headers: Mapping[str, str], body: bytes, verdict: Verdict, remote: str | None,
    now: datetime, source: str = "stays",
) -> Stored:  # fmt: skip
    """Commit a delivery. Whatever may concern a door is looked into a little later."""
    kept = {name: value.replace("\0", "") for name, value in headers.items() if name not in SECRET_HEADERS}
    delivery = Delivery(envelope, source, orjson.dumps(kept).decode(), body, verdict, remote, now)
    return _group.put(delivery)


def refuse(reason: str, *, now: datetime) -> None:
    """Count a delivery that was turned away."""
    with transaction.atomic():
        row, _created = Refusal.objects.get_or_create(day=now.date(), reason=reason)
        Refusal.objects.filter(pk=row.pk).update(count=F("count") + 1)


def store(deliveries: list[Delivery]) -> list[Stored | Exception]:
    """All of them in one commit; should that fail, each in one of its own, so that none suffers for another."""
    try:
        return [*_commit(deliveries)]
    except Exception as error:
        if len(deliveries) == 1 and not isinstance(error, (OperationalError, InterfaceError)):
            raise
        log.warning("webhook.stored_singly", deliveries=len(deliveries), reason=type(error).__name__)
    return [_commit_alone(delivery) for delivery in deliveries]


def _commit_alone(delivery: Delivery) -> Stored | Exception:
    """Over a fresh connection, if the old one is broken. Storing twice is harmless: the dedupe key sees to it."""
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        return _commit([delivery])[0]
    except Exception as error:
        return error


_group: Group[Delivery, Stored] = Group(store, most=AT_ONCE)


def _commit(deliveries: list[Delivery]) -> list[Stored]:
    """In the order of their keys, so that two processes never wait for each other.

    The INSERT is a transaction of its own, without the two round trips of BEGIN and COMMIT, where no job has to be
    committed with it; nearly always, since one job a second is enough.
    """
    copies: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        copies.setdefault(delivery.envelope.dedupe_key, []).append(delivery)
    kept = {key: max(same, key=lambda d: d.verdict == Verdict.VERIFIED) for key, same in sorted(copies.items())}
    now = max(delivery.now for delivery in deliveries)
    is_awaited = inbox.is_awaited(now)
    with nullcontext() if is_awaited else transaction.atomic():
        rows = _insert([(delivery, len(copies[key])) for key, delivery in kept.items()])
        fresh = {key for key, (_, count, _) in rows.items() if count == len(copies[key])}
        if not is_awaited and any(kept[key].envelope.treatment == Treatment.ACTS for key in fresh):
            inbox.wake(now)
    for key in rows.keys() - fresh:
        event_id, _, verification = rows[key]
        if kept[key].verdict == Verdict.VERIFIED != verification:
            _take_proven(event_id, kept[key])
    stored = []
    for delivery in deliveries:
        key = delivery.envelope.dedupe_key
        stored.append(Stored(rows[key][0], created=key in fresh and copies[key][0] is delivery))
    return stored


def _insert(deliveries: list[tuple[Delivery, int]]) -> dict[str, tuple[int, int, str]]:
    """By dedupe key: the event's id, how often it has come so far, and how far it is proven."""
    time = connection.ops.adapt_datetimefield_value
    values = [_values(delivery, count, time) for delivery, count in deliveries]
    rows = prepared.insert(TABLE, COLUMNS, values, COUNTED)
    return {key: (event_id, count, verification) for key, event_id, count, verification in rows}


def _values(delivery: Delivery, count: int, time: Callable[[datetime | None], Any]) -> tuple[Any, ...]:
    envelope = delivery.envelope
    unknown = envelope.treatment == Treatment.PARKED
    return (
        delivery.source, envelope.action, envelope.external_id, "",
        time(envelope.occurred_at), envelope.dedupe_key, delivery.verdict.value,
        delivery.headers, delivery.body, delivery.remote, STATES[envelope.treatment],
        inbox.unknown(envelope.action) if unknown else "", count, time(delivery.now),
        time(delivery.now if unknown else None),
    )  # fmt: skip


@transaction.atomic
def _take_proven(event_id: int, delivery: Delivery) -> None:
    """The same event came again, this time with a good signature: that copy is the one that counts."""
    WebhookEvent.objects.filter(pk=event_id).update(
        verification=delivery.verdict.value, headers=json.loads(delivery.headers), body=delivery.body
    )
    if delivery.envelope.treatment == Treatment.ACTS:
        inbox.put_back(WebhookEvent.objects.filter(pk=event_id), now=delivery.now)
