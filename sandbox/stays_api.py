"""The part of Stays' external API that a lock system reads, behind Basic auth."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import wraps

from flask import Flask, Request, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from sandbox import stays_shapes as shapes
from sandbox.settings import Settings
from sandbox.stays_account import LISTINGS, TYPES, Account, Listing, Reservation, StaysError, parse_day
from sandbox.store import Store

PAGE = 20
DEFAULT_TYPES = ("reserved", "booked", "contract")
DATE_FIELDS: dict[str, Callable[[Reservation], tuple[str, str]]] = {
    "arrival": lambda reservation: (reservation.check_in_date, reservation.check_in_date),
    "departure": lambda reservation: (reservation.check_out_date, reservation.check_out_date),
    "creation": lambda reservation: (reservation.creation_date, reservation.creation_date),
    "creationorig": lambda reservation: (reservation.creation_date, reservation.creation_date),
    "included": lambda reservation: (reservation.check_in_date, reservation.check_out_date),
}


class StaysApi:
    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings

    def register(self, app: Flask) -> None:
        views: dict[str, Callable[..., object]] = {
            "/booking/reservations": self.search,
            "/booking/reservations/<name>": self.reservation,
            "/booking/clients/<key>": self.client,
            "/content/listings": self.listings,
            "/content/listings/<name>": self.listing,
            "/settings/listing/<name>/booking": self.booking_settings,
        }
        for path, view in views.items():
            app.add_url_rule(f"/external/v1{path}", f"stays {path}", self._guarded(view))

    def _guarded(self, view: Callable[..., object]) -> Callable[..., Response]:
        @wraps(view)
        def guarded(**at: str) -> Response:
            if not _may_enter(request, self.settings):
                raise StaysError(401, "Unauthorized")
            return jsonify(view(**at))

        return guarded

    def search(self) -> object:
        with self.store.session() as (world, _):
            found = matching(world.account, request.args)
            skip, limit = _count("skip", 0), min(_count("limit", PAGE), PAGE)
            return [shapes.short_reservation(world.account, item) for item in found[skip : skip + limit]]

    def reservation(self, name: str) -> object:
        with self.store.session() as (world, _):
            return shapes.full_reservation(world.account, world.account.find(name))

    def client(self, key: str) -> object:
        with self.store.session() as (world, _):
            if key not in world.account.guests:
                raise StaysError(404, f"There is no client {key!r}.")
            return shapes.client(world.account.guests[key])

    def listings(self) -> object:
        skip, limit = _count("skip", 0), min(_count("limit", PAGE), PAGE)
        return [shapes.listing(place) for place in LISTINGS[skip : skip + limit]]

    def listing(self, name: str) -> object:
        return shapes.listing(_place(name))

    def booking_settings(self, name: str) -> object:
        return shapes.booking_settings(_place(name))


def matching(account: Account, args: MultiDict[str, str]) -> list[Reservation]:
    """Without `type` the canceled ones are missing, exactly as at Stays: a poller sees them vanish."""
    types = args.getlist("type") or list(DEFAULT_TYPES)
    date_type = args.get("dateType", "arrival")
    if not set(types) <= set(TYPES):
        raise StaysError(400, f"type must be one of {', '.join(TYPES)}.")
    if date_type not in DATE_FIELDS:
        raise StaysError(400, f"dateType must be one of {', '.join(DATE_FIELDS)}.")
    first, last = (parse_day(name, args[name]).isoformat() if args.get(name) else "" for name in ("from", "to"))
    places = {place.key for place in LISTINGS if {place.key, place.short} & set(args.getlist("listingId"))}
    guest = args.get("_idclient")

    def fits(reservation: Reservation) -> bool:
        start, end = DATE_FIELDS[date_type](reservation)
        in_time = (not first or end >= first) and (not last or start <= last)
        here = not args.getlist("listingId") or reservation.listing in places
        return in_time and here and reservation.type in types and guest in (None, reservation.guest)

    return [reservation for reservation in account.reservations.values() if fits(reservation)]


def _place(name: str) -> Listing:
    for place in LISTINGS:
        if name in (place.key, place.short):
            return place
    raise StaysError(404, f"There is no listing {name!r}.")


def _may_enter(request: Request, settings: Settings) -> bool:
    given = request.authorization
    if given is None or given.type != "basic":
        return False
    pair = f"{given.username}:{given.password}".encode()
    return hmac.compare_digest(pair, f"{settings.stays_client_id}:{settings.stays_client_secret}".encode())


def _count(name: str, default: int) -> int:
    text = request.args.get(name, "")
    if text and not text.isdigit():
        raise StaysError(400, f"{name} must be a whole number, not {text!r}.")
    return int(text) if text else default
