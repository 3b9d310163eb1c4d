"""The pretend Stays account as plain data: listings, guests, reservations, and the rules for changing them."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as clock_time
from typing import Any

TYPES = ("reserved", "booked", "contract", "blocked", "maintenance", "canceled")
LANGUAGES = {"pt": "pt_BR", "en": "en_US", "es": "es_ES", "fr": "fr_FR", "de": "de_DE", "it": "it_IT"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
CHECK_IN, CHECK_OUT = "15:00", "11:00"


class StaysError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Listing:
    key: str
    short: str
    name: str
    state_code: str
    city: str
    time_zone: str
    check_in_time: str = CHECK_IN
    check_out_time: str = CHECK_OUT
    at: tuple[float, float] = (0.0, 0.0)


LISTINGS = (
    Listing(
        "6908f6db00000000000000a1",
        "CO01A",
        "Copacabana 301",
        "RJ",
        "Rio de Janeiro",
        "America/Sao_Paulo",
        at=(-22.971, -43.182),
    ),
    Listing(
        "6908f6db00000000000000b2",
        "PI02B",
        "Pinheiros 12",
        "SP",
        "São Paulo",
        "America/Sao_Paulo",
        at=(-23.567, -46.702),
    ),
    Listing(
        "6908f6db00000000000000c3", "MA03C", "Manaus Centro 7", "AM", "Manaus", "America/Manaus", at=(-3.13, -60.023)
    ),
)


@dataclass
class Guest:
    key: str
    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    creation_date: str = ""


@dataclass
class Reservation:
    key: str
    short: str
    creation_date: str
    listing: str
    type: str
    check_in_date: str
    check_in_time: str
    check_out_date: str
    check_out_time: str
    guest: str = ""
    partner_code: str = ""
    adults: int = 2
    children: int = 0

    def names(self) -> tuple[str, ...]:
        return tuple(name for name in (self.key, self.short, self.partner_code) if name)


@dataclass
class Account:
    guests: dict[str, Guest] = field(default_factory=dict)
    reservations: dict[str, Reservation] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Account:
        return cls(
            guests={key: Guest(**value) for key, value in data["guests"].items()},
            reservations={key: Reservation(**value) for key, value in data["reservations"].items()},
        )

    def find(self, name: str) -> Reservation:
        """By `_id`, by short id or by the channel's code."""
        for reservation in self.reservations.values():
            if name in reservation.names():
                return reservation
        raise StaysError(404, f"There is no reservation {name!r}.")

    def book(self, wish: dict[str, Any], now: float) -> Reservation:
        listing = find_listing(wish.get("listing") or wish.get("_idlisting"))
        reservation = Reservation(
            key=new_key(now),
            short=self._new_short(),
            creation_date=_today(now).isoformat(),
            listing=listing.key,
            type=str(wish.get("type") or "booked"),
            check_in_date=str(wish.get("checkInDate") or _missing("checkInDate")),
            check_in_time=str(wish.get("checkInTime") or listing.check_in_time),
            check_out_date=str(wish.get("checkOutDate") or _missing("checkOutDate")),
            check_out_time=str(wish.get("checkOutTime") or listing.check_out_time),
            partner_code=str(wish.get("partnerCode") or ""),
        )
        _check(reservation)
        self._set_guest(reservation, wish.get("guest"), now)
        self.reservations[reservation.key] = reservation
        return reservation

    def change(self, name: str, wish: dict[str, Any], now: float) -> tuple[Reservation, str]:
        """The changed reservation and the verb Stays would announce it with."""
        old = self.find(name)
        place = wish.get("listing") or wish.get("_idlisting")
        listing = find_listing(place).key if place else old.listing
        new = Reservation(**{**vars(old), **_changes(wish), "listing": listing})
        _check(new)
        self._set_guest(new, wish.get("guest"), now)
        self.reservations[new.key] = new
        if new.type == "canceled" != old.type:
            return new, "canceled"
        return new, "reactivated" if old.type == "canceled" != new.type else "modified"

    def delete(self, name: str) -> Reservation:
        return self.reservations.pop(self.find(name).key)

    def _set_guest(self, reservation: Reservation, wish: object, now: float) -> None:
        if wish is None:
            return
        if not isinstance(wish, dict):
            raise StaysError(400, "guest must be an object with name, email, phone and language.")
        known = self.guests.get(reservation.guest)
        guest = known or Guest(key=new_key(now), creation_date=_today(now).isoformat())
        for name in ("name", "email", "phone", "language"):
            if wish.get(name) is not None:
                setattr(guest, name, str(wish[name]).strip())
        guest.language = _language(guest.language)
        self.guests[guest.key] = guest
        reservation.guest = guest.key

    def _new_short(self) -> str:
        taken = {reservation.short for reservation in self.reservations.values()}
        while True:
            letters = "".join(secrets.choice(string.ascii_uppercase) for _ in range(3))
            short = f"{letters[:2]}{secrets.randbelow(90) + 10}{letters[2]}"
            if short not in taken:
                return short


def find_listing(name: object) -> Listing:
    for listing in LISTINGS:
        if name in (listing.key, listing.short):
            return listing
    known = ", ".join(f"{listing.key} ({listing.short})" for listing in LISTINGS)
    raise StaysError(400, f"listing {name!r} is unknown; there are {known}.")


def new_key(now: float) -> str:
    """24 hex digits: the creation second and chance, as Mongo makes them."""
    return f"{int(now):08x}{secrets.token_hex(8)}"


def _changes(wish: dict[str, Any]) -> dict[str, str]:
    fields = {
        "checkInDate": "check_in_date",
        "checkInTime": "check_in_time",
        "checkOutDate": "check_out_date",
        "checkOutTime": "check_out_time",
        "type": "type",
        "partnerCode": "partner_code",
    }
    return {ours: str(wish[theirs]) for theirs, ours in fields.items() if wish.get(theirs) is not None}


def _check(reservation: Reservation) -> None:
    if reservation.type not in TYPES:
        raise StaysError(400, f"type {reservation.type!r} is unknown; there are {', '.join(TYPES)}.")
    start = _moment("checkIn", reservation.check_in_date, reservation.check_in_time)
    end = _moment("checkOut", reservation.check_out_date, reservation.check_out_time)
    if end <= start:
        raise StaysError(400, f"The check-out ({end}) must come after the check-in ({start}).")


def _moment(which: str, day: str, time: str) -> datetime:
    if not TIME.fullmatch(time):
        raise StaysError(400, f"{which}Time must be HH:mm or HH:mm:ss, not {time!r}.")
    return datetime.combine(parse_day(f"{which}Date", day), clock_time.fromisoformat(time))


def parse_day(name: str, text: str) -> date:
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise StaysError(400, f"{name} must be a date like 2026-12-01, not {text!r}.") from None


def _missing(name: str) -> str:
    raise StaysError(400, f"{name} is missing; it must be a date like 2026-12-01.")


def _today(now: float) -> date:
    return datetime.fromtimestamp(now, UTC).date()


def _language(text: str) -> str:
    short = text.replace("-", "_").strip()
    return LANGUAGES.get(short.lower(), short)
