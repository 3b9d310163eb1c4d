"""Pure: the bytes of a delivery to what we need to know of it: action, time, whom it is about, what becomes of it."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from reservations.stays.payloads import reservation_id

# What may change who is let in.
ACTING = {
    "reservation.created", "reservation.modified", "reservation.reactivated",
    "reservation.canceled", "reservation.cancelled", "reservation.deleted",
}  # fmt: skip
# `reservation.payments.*` is about money and has ids of its own.
MONEY = "reservation.payments."


_ACTION = re.compile(r"[\x21-\x7e]+")
PLAUSIBLE_YEARS = range(2000, 2200)


class Treatment(StrEnum):
    """What becomes of an action; docs/webhooks.md has the table."""

    ACTS = "acts"  # it may concern a door: looked into
    DROPPED = "dropped"  # counted, and that is all
    PARKED = "parked"  # about a stay, but of a kind we have never heard of: a person should look at it


def treatment(action: str) -> Treatment:
    if action in ACTING:
        return Treatment.ACTS
    about_stays = action.startswith("reservation.") and not action.startswith(MONEY)
    return Treatment.PARKED if about_stays else Treatment.DROPPED


class Malformed(ValueError):
    """The body is not an envelope; the message says what is wrong, for whoever sent it."""


class Envelope(NamedTuple):
    """``{"action": ..., "_dt": ..., "payload": {...}}`` with the times made aware UTC."""

    action: str
    occurred_at: datetime | None
    payload: Any
    external_id: str
    dedupe_key: str
    treatment: Treatment


def parse(body: bytes, *, message_id: str = "") -> Envelope:
    """``message_id``: the sender's own name of this event, where it has one. Raises Malformed."""
    try:
        data = _json(body)
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise Malformed("The body must be a JSON object with action, _dt and payload.")
    action = _action(data.get("action"))
    at, payload = data.get("_dt"), data.get("payload")
    about = reservation_id(payload) if isinstance(payload, dict) else ""
    key = _dedupe_key(action, at, about, body, message_id)
    return Envelope(action, _moment(at), payload, about, key, treatment(action))


def _json(body: bytes) -> Any:
    """orjson takes a quarter of the time, and refuses some of what the standard library takes (NaN, UTF-16)."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return json.loads(body)


def _action(value: object) -> str:
    action = value.strip().lower() if isinstance(value, str) else ""
    if not action:
        raise Malformed("The body has no action, such as reservation.created.")
    if len(action) > 64:
        raise Malformed("The action is longer than 64 characters.")
    if not _ACTION.fullmatch(action):
        raise Malformed("The action has characters that no action has; it is a word such as reservation.created.")
    return action


def _dedupe_key(action: str, moment: object, about: str, body: bytes, message_id: str) -> str:
    """Stays gives no event id: the same action, time and object are the same event; else the same bytes are."""
    known: str | None = None
    if message_id:
        known = f"standard|{message_id}"
    elif isinstance(moment, str) and moment and about:
        known = f"stays|{action}|{moment}|{about}"
    return hashlib.sha256(known.encode("utf-8", "backslashreplace") if known else body).hexdigest()


def _moment(value: object) -> datetime | None:
    """The sender's time; None when it gives none, or one that cannot be."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in PLAUSIBLE_YEARS else None
