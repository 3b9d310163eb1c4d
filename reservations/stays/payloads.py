"""Pure: Stays' JSON to ``ReservationFacts``. Unknown fields are kept, missing ones survived, nonsense refused.

Source of the shapes: the vendor's pages and observed traffic; every field but the ids and dates is optional. Of the
known fields only those the job needs are taken: no money, no staff, no guests beyond the one who is written to.
"""

from __future__ import annotations

import json
import re
from datetime import date, time
from typing import Any

from reservations.errors import BadReservation
from reservations.facts import Guest, ReservationFacts
from reservations.models import Reservation

Json = dict[str, Any]
_PLACEHOLDER = re.compile(r"(adult|child|infant|baby)_\d+", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ].*)?")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_ID = re.compile(r"(?!\.+$)[^\s/\\?#%]{1,64}")  # one segment of a path, whatever it looks like otherwise
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], " ")
# All that is documented or was observed; what is not taken below is left behind on purpose.
KNOWN_FIELDS = {
    "_id", "id", "creationDate", "checkInDate", "checkInTime", "checkOutDate", "checkOutTime", "checkinDate",
    "checkinTime", "checkoutDate", "checkoutTime", "_idlisting", "_idclient", "type", "operator", "agent", "price",
    "stats", "guests", "guestsDetails", "guestName", "partner", "partnerCode", "reservationUrl", "internalNote",
    "_idpromoCode", "promoCode", "cancelMessage", "cancellationDate", "client", "from", "to",
}  # fmt: skip
EXTRA_BYTES = 4096
STATUSES = {status.value for status in Reservation.Status if status != Reservation.Status.DELETED}


def reservation_id(payload: Json) -> str:
    """The long ``_id``, or the short ``id`` when that is all there is, or nothing."""
    return identifier(payload, "_id") or identifier(payload, "id")


def identifier(source: Json, name: str) -> str:
    """An id that can be asked for and stored; nothing when it is missing or no id at all."""
    value = text(source, name)
    return value if _ID.fullmatch(value) else ""


def parse_reservation(payload: Json, client: Json | None = None) -> ReservationFacts:
    """A reservation object (of the API or of a webhook body), with the guest's contact from the client object.

    Raises BadReservation with a sentence that names the field and what is wrong with it.
    """
    external_id = reservation_id(payload)
    if not external_id:
        raise BadReservation("The reservation has neither a usable _id nor id.")
    check_in = _date(payload, "checkInDate", "checkinDate")
    check_out = _date(payload, "checkOutDate", "checkoutDate")
    return ReservationFacts(
        external_id=external_id,
        listing_id=text(payload, "_idlisting"),
        status=_status(payload),
        check_in_date=check_in,
        check_out_date=check_out,
        check_in_time=clock_time(payload, "checkInTime", "checkinTime"),
        check_out_time=clock_time(payload, "checkOutTime", "checkoutTime"),
        short_id=text(payload, "id")[:32],
        partner_code=text(payload, "partnerCode")[:64],
        guest=parse_guest(payload, client or {}),
        extra=unknown_fields(payload),
    )


def unknown_fields(payload: Json) -> Json:
    """What Stays may add one day: kept for whoever looks for it then, as far as it is small."""
    found = {name: value for name, value in payload.items() if isinstance(name, str) and name not in KNOWN_FIELDS}
    try:
        text = json.dumps(found, allow_nan=False).replace("\\u0000", "")
        text.encode()
        return dict(json.loads(text)) if len(text) <= EXTRA_BYTES else {}
    except (ValueError, RecursionError):
        return {}


def parse_deleted(payload: Json) -> ReservationFacts:
    """``reservation.deleted`` has a shape of its own: ``{_id, _idlisting, from, to}``."""
    external_id = reservation_id(payload)
    if not external_id:
        raise BadReservation("The deleted reservation has no usable _id.")
    return ReservationFacts(
        external_id=external_id,
        listing_id=text(payload, "_idlisting"),
        status=Reservation.Status.DELETED.value,
        check_in_date=_date(payload, "from", "checkInDate"),
        check_out_date=_date(payload, "to", "checkOutDate"),
    )


def parse_guest(payload: Json, client: Json) -> Guest:
    """The primary guest's name and how to reach them; placeholders such as "adult_1" are not names."""
    details = payload.get("guestsDetails")
    people = [p for p in _list(details, "list") if isinstance(p, dict)]
    people.sort(key=lambda p: not p.get("primary"))
    names = [text(client, "name"), *(text(p, "name") for p in people), text(payload, "guestName")]
    phones = [*_list(client, "phones"), *(phone for p in people for phone in _list(p, "phones"))]
    emails = sorted(
        (e for e in _list(client, "contactEmails") if isinstance(e, dict)), key=lambda e: e.get("type") != "main"
    )
    return Guest(
        name=next((n for n in names if n and not _PLACEHOLDER.fullmatch(n)), "")[:200],
        email=_first([text(client, "email"), *(text(e, "adr") for e in emails)], "@")[:254],
        phone=_first([text(p, "iso") for p in phones if isinstance(p, dict)])[:40],
        language=text(client, "prefLang").replace("_", "-")[:10],
    )


def _status(payload: Json) -> str:
    word = text(payload, "type").lower().replace("cancelled", "canceled")
    if word not in STATUSES:
        known = ", ".join(sorted(STATUSES))
        raise BadReservation(f"The reservation's type is {word[:40] or 'missing'!r}; known are {known}.")
    return word


def _date(payload: Json, *names: str) -> date:
    name, value = _present(payload, names)
    try:
        return date.fromisoformat(match[1] if (match := _DATE.fullmatch(value)) else "")
    except ValueError:
        shown = f"{value[:40]!r} is not a date of the calendar (YYYY-MM-DD)" if value else "is missing"
        raise BadReservation(f"{name}: {shown}.") from None


def clock_time(payload: Json, *names: str) -> time | None:
    name, value = _present(payload, names)
    if not value:
        return None
    try:
        return time.fromisoformat(value if _TIME.fullmatch(value) else "")
    except ValueError:
        raise BadReservation(f"{name}: {value[:40]!r} is not a time of day (HH:mm).") from None


def _present(payload: Json, names: tuple[str, ...]) -> tuple[str, str]:
    """The first of ``names`` that says something, as text; of a list or an object only that it is one."""
    for name in names:
        if value := payload.get(name):
            return name, text(payload, name) or f"<{type(value).__name__}>"
    return names[0], ""


def text(source: Json, name: str) -> str:
    """Text that a database can hold and a line can show: no control characters, no half of a surrogate pair."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).encode("utf-8", "ignore").decode().translate(_CONTROLS).strip()


def number(source: Json, name: str) -> float | None:
    """A number, also where it came as text."""
    value = source.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _list(source: object, name: str) -> list[Any]:
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, list) else []


def _first(values: list[str], containing: str = "") -> str:
    return next((value for value in values if value and containing in value), "")
