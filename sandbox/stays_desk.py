"""The front desk of the pretend Stays: book, change, cancel and delete, each announced by the webhook that fits."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox import stays_shapes as shapes
from sandbox.stays_account import LISTINGS, Account, Reservation, StaysError
from sandbox.stays_webhooks import WebhookSender
from sandbox.store import Store

PATH = "/sandbox/stays/reservations"


class StaysDesk:
    def __init__(self, store: Store, sender: WebhookSender) -> None:
        self.store = store
        self.sender = sender

    def register(self, app: Flask) -> None:
        app.add_url_rule(PATH, "desk list", self.all, methods=["GET"])
        app.add_url_rule(PATH, "desk book", self.book, methods=["POST"])
        app.add_url_rule(f"{PATH}/<name>", "desk change", self.change, methods=["PATCH"])
        app.add_url_rule(f"{PATH}/<name>", "desk delete", self.delete, methods=["DELETE"])
        app.add_url_rule("/sandbox/stays/listings", "desk listings", self.listings)
        app.add_url_rule("/sandbox/stays/webhooks", "desk webhooks", self.webhooks)

    def all(self) -> Response:
        with self.store.session() as (world, _):
            account = world.account
            return jsonify([shapes.for_the_page(account, item) for item in account.reservations.values()])

    def book(self) -> tuple[Response, int]:
        wish = _body()
        times = _times(wish)
        with self.store.session(writes=True) as (world, now):
            reservation = world.account.book(wish, now)
            shown = shapes.full_reservation(world.account, reservation)
            self._announce(world.account, reservation, "created", now, times)
        return jsonify(shown), 201

    def change(self, name: str) -> Response:
        wish = _body()
        times = _times(wish)
        with self.store.session(writes=True) as (world, now):
            reservation, verb = world.account.change(name, wish, now)
            shown = shapes.full_reservation(world.account, reservation)
            self._announce(world.account, reservation, verb, now, times)
        return jsonify(shown)

    def delete(self, name: str) -> tuple[str, int]:
        times = _times(_body())
        with self.store.session(writes=True) as (world, now):
            reservation = world.account.delete(name)
            if times:
                self.sender.send("deleted", shapes.deleted(reservation), now, times)
        return "", 204

    def listings(self) -> Response:
        return jsonify([{**shapes.listing(place), **shapes.booking_settings(place)} for place in LISTINGS])

    def webhooks(self) -> Response:
        return jsonify(self.sender.log())

    def _announce(self, account: Account, reservation: Reservation, verb: str, now: float, times: int) -> None:
        if times:
            self.sender.send(verb, shapes.short_reservation(account, reservation), now, times)


def _body() -> dict[str, Any]:
    """A JSON object, or nothing at all (a DELETE has none)."""
    if not request.get_data():
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise StaysError(400, "The body must be a JSON object.")
    return body


def _times(wish: dict[str, Any]) -> int:
    """The test switch: `"webhook": false` keeps silent, `"webhook": "twice"` sends the same bytes twice."""
    known = {True: 1, False: 0, "twice": 2}
    choice = wish.get("webhook", True)
    if not isinstance(choice, bool | str) or choice not in known:
        raise StaysError(400, 'webhook must be true, false or "twice".')
    return known[choice]
