"""A sandbox inside the test's own process, with a clock the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient

from sandbox.app import create_app
from sandbox.settings import Settings
from sandbox.stays_webhooks import WebhookSender
from sandbox.store import Store
from tests.sandbox.tuya_caller import CLIENT_ID, SECRET, TuyaCaller
from tests.sandbox_process import RunningSandbox, running_sandbox

START = 1_795_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Bench:
    """Everything a test of the sandbox holds in its hand."""

    http: FlaskClient
    clock: Clock
    tuya: TuyaCaller
    store: Store

    def post(self, path: str, body: object = None) -> Any:
        answer = self.http.post(path, json=body)
        assert answer.status_code in (200, 201, 204), answer.text
        return answer.get_json(silent=True)

    def get(self, path: str, **options: Any) -> Any:
        answer = self.http.get(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def fault(self, device_id: str, name: str, on: bool = True, **options: float) -> None:
        self.post(f"/sandbox/doors/{device_id}/faults", {"fault": name, "on": on, **options})

    def try_pin(self, device_id: str, pin: str) -> tuple[bool, str]:
        verdict = self.post(f"/sandbox/doors/{device_id}/try", {"pin": pin})
        return verdict["opened"], verdict["code"]

    def wake(self, device_id: str) -> None:
        """Woken for a moment only, so that what comes next meets a sleeping lock again."""
        self.post(f"/sandbox/doors/{device_id}/wake")
        self.post(f"/sandbox/doors/{device_id}/sleep")


@pytest.fixture
def bench() -> Bench:
    clock = Clock()
    settings = Settings(
        tuya_client_id=CLIENT_ID,
        tuya_client_secret=SECRET,
        stays_client_id="stays-login",
        stays_client_secret="stays-password",
    )
    store = Store(clock=clock)
    app = create_app(settings, store, WebhookSender("", "stays-login", ""))
    app.testing = True
    http = app.test_client()
    tuya = TuyaCaller(http, clock)
    tuya.log_in()
    return Bench(http, clock, tuya, store)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox() as running:
        yield running
