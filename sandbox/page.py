"""The page for a person: keypads to type on, a front desk to book at, a mailbox to read."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, Response, make_response, render_template, request

from sandbox.doors_api import faults_json
from sandbox.state import PIN_LENGTH
from sandbox.stays_account import LISTINGS
from sandbox.store import Store
from sandbox.texts import FAULTS_PT, TEXTS

# The page needs nothing from outside, and the browser holds it to that.
POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Act:
    """A button under each door: what is sent to ``/sandbox/doors/<id>/<call>`` when it is pressed."""

    name: str
    call: str
    body: dict[str, object]


def acts(length: int) -> list[Act]:
    """What a door may tell. No guest's PIN is all noughts, so that one is wrong at every door."""
    return [
        Act("pry", "alarm", {"code": "alarm_lock", "value": "pry"}),
        Act("duress", "alarm", {"code": "hijack"}),
        Act("battery_low", "battery", {"percent": 10}),
        Act("battery_new", "battery", {"percent": 100}),
        Act("wrong_pin", "try", {"pin": "0" * length}),
    ]


class Page:
    def __init__(self, store: Store) -> None:
        self.store = store

    def register(self, app: Flask) -> None:
        app.add_url_rule("/", "page", self.page)

    def page(self) -> Response:
        language = _language()
        with self.store.session() as (world, now):
            doors = [
                {
                    "id": door.device_id,
                    "name": door.name,
                    "radio": door.radio,
                    "length": PIN_LENGTH[door.radio],
                    "zone": door.time_zone,
                    "acts": acts(PIN_LENGTH[door.radio]),
                    "faults": [_in_words(fault, language) for fault in faults_json(world, door, now)],
                }
                for door in world.doors.values()
            ]
        html = render_template("page.html", t=TEXTS[language], language=language, doors=doors, listings=LISTINGS)
        response = make_response(html)
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Vary"] = "Accept-Language"
        return response


def _in_words(fault: dict[str, object], language: str) -> dict[str, object]:
    name = str(fault["fault"])
    return {**fault, "about": FAULTS_PT[name] if language == "pt" else fault["about"]}


def _language() -> str:
    asked = request.args.get("lang", "")
    if asked in TEXTS:
        return asked
    return request.accept_languages.best_match(["pt-BR", "pt", "en"], "en")[:2]
