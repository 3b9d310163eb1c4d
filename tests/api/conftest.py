"""Callers with tokens of different reach, and a house to look at."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.servers.basehttp import WSGIRequestHandler
from django.test import Client

from reservations.models import Reservation
from scheduler import clock
from smartlock.api import tokens
from tests.admin.house import make_house

# Django's test server writes an answer in small pieces. With Nagle's algorithm the second waits for the caller to
# acknowledge the first, which takes 40 ms: four fifths of the time of thousands of requests.
WSGIRequestHandler.disable_nagle_algorithm = True


@dataclass
class Answer:
    status: int
    json: Any
    headers: Any


@dataclass
class Caller:
    """Speaks JSON to the API with one token, or without any."""

    text: str = ""
    client: Client = field(default_factory=Client)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.text:
            sent["Authorization"] = f"Bearer {self.text}"
        data = b"" if body is None else json.dumps(body).encode()
        response: Any = self.client.generic(method, f"/api/{path}", data, "application/json", headers=sent)
        is_json = "json" in response.get("Content-Type", "")
        return Answer(response.status_code, response.json() if is_json else response.content, response.headers)

    def get(self, path: str) -> Answer:
        return self("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any) -> Answer:
        return self("PATCH", path, body)


@pytest.fixture
def token_of(db: None) -> Callable[..., Caller]:
    def make(*scopes: str, name: str = "tests") -> Caller:
        return Caller(tokens.create(name, scopes, now=clock.now(), actor="tests")[1])

    return make


@pytest.fixture
def api(token_of: Callable[..., Caller]) -> Caller:
    """May do everything."""
    return token_of("all")


@pytest.fixture
def stay(db: None) -> Reservation:
    """In house, with a proven PIN, jobs with a try, an event."""
    return make_house(1, clock.now())[0]


@pytest.fixture
def unhurried(settings: LazySettings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0


from tests.admin.conftest import boss, newcomer, operator  # noqa: E402, F401  the same three people
