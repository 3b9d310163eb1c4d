"""Two worlds to read from: the sandbox's Stays account over HTTP, and a server that answers what a test wrote."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pytest_django import Settings

from tests.sandbox_process import CREDENTIALS, LISTING, WIFI, RunningSandbox, running_sandbox

COPACABANA = LISTING[WIFI]
ANA = {"name": "Ana Teste Souza", "email": "ana@example.org", "phone": "+5521900000000", "language": "pt"}


@pytest.fixture(scope="session")
def one_sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def account(one_sandbox: RunningSandbox, settings: Settings) -> RunningSandbox:
    """An empty Stays account that the settings point to."""
    one_sandbox.reset()
    point_to(settings, one_sandbox.base_url)
    return one_sandbox


def point_to(settings: Settings, base_url: str) -> None:
    settings.STAYS_BASE_URL = base_url
    settings.STAYS_CLIENT_ID = CREDENTIALS["STAYS_CLIENT_ID"]
    settings.STAYS_CLIENT_SECRET = CREDENTIALS["STAYS_CLIENT_SECRET"]


def book(account: RunningSandbox, **wish: Any) -> dict[str, Any]:
    """A stay in Copacabana from 6 March 2026, 15:00, to 9 March, 11:00."""
    dates = {"checkInDate": "2026-03-06", "checkOutDate": "2026-03-09"}
    return account.book(**{"listing": COPACABANA, **dates, "guest": ANA, "webhook": False, **wish})


class ScriptedStays(ThreadingHTTPServer):
    """Gives its answers in order, the last one for ever: a status and a body (JSON, or bytes as they are)."""

    def __init__(self, answers: list[tuple[int, object]]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers = answers
        self.asked: list[str] = []
        self.base_url = f"http://127.0.0.1:{self.server_port}"

    def next_answer(self, path: str) -> tuple[int, bytes]:
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.asked.append(path)
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()


class _Answering(BaseHTTPRequestHandler):
    server: ScriptedStays

    def do_GET(self) -> None:
        status, body = self.server.next_answer(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silence."""


@contextmanager
def scripted(*answers: tuple[int, object]) -> Iterator[ScriptedStays]:
    with ScriptedStays(list(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
