"""Pure: the bytes of a Stays delivery to what we need to know of it: action, time, whom it is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reservations.stays.payloads import reservation_id

# What may change who is let in. `reservation.payments.*` is about money and has ids of its own.
ACTING = {
    "reservation.created", "reservation.modified", "reservation.reactivated",
    "reservation.canceled", "reservation.cancelled", "reservation.deleted",
}  # fmt: skip


class Malformed(ValueError):
    """The body is not a Stays envelope; the message says what is wrong, for whoever sent it."""


@dataclass(frozen=True)
class Envelope:
    """``{"action": ..., "_dt": ..., "payload": {...}}`` with the times made aware UTC."""

    action: str
    occurred_at: datetime | None
    payload: Any
    dedupe_key: str

    @property
    def external_id(self) -> str:
        return reservation_id(self.payload)[:64] if isinstance(self.payload, dict) else ""

    @property
    def acts(self) -> bool:
        return self.action in ACTING

    @property
    def is_unknown(self) -> bool:
        """A reservation event of a kind we have never heard of: a person should look at it."""
        return (
            self.action.startswith("reservation.")
            and not self.action.startswith("reservation.payments.")
            and not self.acts
        )


def parse(body: bytes) -> Envelope:
    """Raises Malformed."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise Malformed("The body must be a JSON object with action, _dt and payload.")
    action = data.get("action")
    if not isinstance(action, str) or not action.strip():
        raise Malformed("The body has no action, such as reservation.created.")
    if len(action) > 64:
        raise Malformed("The action is longer than 64 characters.")
    payload = data.get("payload")
    occurred_at = _moment(data.get("_dt"))
    return Envelope(action.strip(), occurred_at, payload, _dedupe_key(action.strip(), data.get("_dt"), payload, body))


def _dedupe_key(action: str, moment: object, payload: object, body: bytes) -> str:
    """Stays gives no event id: the same action, time and object are the same event; else the same bytes are."""
    about = reservation_id(payload) if isinstance(payload, dict) else ""
    known = f"stays|{action}|{moment}|{about}" if moment and about else None
    return hashlib.sha256(known.encode("utf-8", "replace") if known else body).hexdigest()


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
