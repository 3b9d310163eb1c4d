"""Pure: the bytes of a Stays delivery to what we need to know of it: action, time, whom it is about."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reservations.stays.payloads import reservation_id

# What may change who is let in. `reservation.payments.*` is about money and has ids of its own.
ACTING = {
    "reservation.created", "reservation.modified", "reservation.reactivated",
    "reservation.canceled", "reservation.cancelled", "reservation.deleted",
}  # fmt: skip


_ACTION = re.compile(r"[\x21-\x7e]+")
PLAUSIBLE_YEARS = range(2000, 2200)


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
        return reservation_id(self.payload) if isinstance(self.payload, dict) else ""

    @property
    def acts(self) -> bool:
        return self.action in ACTING

    @property
    def is_unknown(self) -> bool:
        return is_unknown(self.action)


def is_unknown(action: str) -> bool:
    """A reservation event of a kind we have never heard of: a person should look at it."""
    about_stays = action.startswith("reservation.") and not action.startswith("reservation.payments.")
    return about_stays and action not in ACTING


def parse(body: bytes) -> Envelope:
    """Raises Malformed."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise Malformed("The body must be a JSON object with action, _dt and payload.")
    action = _action(data.get("action"))
    moment, payload = data.get("_dt"), data.get("payload")
    return Envelope(action, _moment(moment), payload, _dedupe_key(action, moment, payload, body))


def _action(value: object) -> str:
    action = value.strip() if isinstance(value, str) else ""
    if not action:
        raise Malformed("The body has no action, such as reservation.created.")
    if len(action) > 64:
        raise Malformed("The action is longer than 64 characters.")
    if not _ACTION.fullmatch(action):
        raise Malformed("The action has characters that no action has; it is a word such as reservation.created.")
    return action


def _dedupe_key(action: str, moment: object, payload: object, body: bytes) -> str:
    """Stays gives no event id: the same action, time and object are the same event; else the same bytes are."""
    about = reservation_id(payload) if isinstance(payload, dict) else ""
    known = f"stays|{action}|{moment}|{about}" if isinstance(moment, str) and moment and about else None
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
