"""Starts the sandbox as a program of its own and talks to it as a script would, for tests that need the outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
READY = re.compile(r"sandbox listening on (http://\S+) smtp \S+:(\d+)(?: push (\S+))?")
WIFI = "vdevo000000000000wifi"
ZIGBEE = "vdevo0000000000zigbee"
BLE = "vdevo000000000000ble1"
LISTING = {
    WIFI: "6908f6db00000000000000a1",
    ZIGBEE: "6908f6db00000000000000b2",
    BLE: "6908f6db00000000000000c3",
}
CREDENTIALS = {
    "TUYA_CLIENT_ID": "1KAD46OrT9HafiKdsXeg",
    "TUYA_CLIENT_SECRET": "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC",
    "STAYS_CLIENT_ID": "stays-login",
    "STAYS_CLIENT_SECRET": "stays-password",
}


@dataclass
class RunningSandbox:
    base_url: str
    smtp_port: int
    process: subprocess.Popen[str]
    env: dict[str, str] = field(default_factory=dict)
    push_url: str = ""

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base_url, timeout=60, trust_env=False)

    def doors(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/sandbox/doors"))

    def door(self, device_id: str) -> dict[str, Any]:
        """One door with its codes (windows, no digits), its log and its faults."""
        return dict(self._call("GET", f"/sandbox/doors/{device_id}"))

    def try_pin(self, device_id: str, pin: str) -> dict[str, Any]:
        return dict(self._call("POST", f"/sandbox/doors/{device_id}/try", {"pin": pin}))

    def wake(self, device_id: str) -> None:
        self._call("POST", f"/sandbox/doors/{device_id}/wake")

    def sleep(self, device_id: str) -> None:
        self._call("POST", f"/sandbox/doors/{device_id}/sleep")

    def fault(self, device_id: str, name: str, on: bool = True, **options: float) -> None:
        self._call("POST", f"/sandbox/doors/{device_id}/faults", {"fault": name, "on": on, **options})

    def calls(self) -> dict[str, int]:
        """Every call to the Tuya cloud since the sandbox started, by method and path."""
        return dict(self._call("GET", "/sandbox/calls"))

    def alarm(self, device_id: str, value: str, code: str = "alarm_lock") -> None:
        self._call("POST", f"/sandbox/doors/{device_id}/alarm", {"code": code, "value": value})

    def battery(self, device_id: str, percent: int) -> None:
        self._call("POST", f"/sandbox/doors/{device_id}/battery", {"percent": percent})

    def clock(self, at: float | None) -> None:
        """The pretend world's time stands at these epoch seconds until it is set again; None lets it run."""
        self._call("POST", "/sandbox/clock", {"at": at})

    def book(self, **wish: Any) -> dict[str, Any]:
        return dict(self._call("POST", "/sandbox/stays/reservations", wish))

    def change(self, reservation: str, **wish: Any) -> dict[str, Any]:
        return dict(self._call("PATCH", f"/sandbox/stays/reservations/{reservation}", wish))

    def cancel(self, reservation: str, **wish: Any) -> dict[str, Any]:
        return self.change(reservation, type="canceled", **wish)

    def delete(self, reservation: str, **wish: Any) -> None:
        self._call("DELETE", f"/sandbox/stays/reservations/{reservation}", wish or None)

    def reservations(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/sandbox/stays/reservations"))

    def webhooks(self) -> list[dict[str, Any]]:
        return list(self._call("GET", "/sandbox/stays/webhooks"))

    def messages(self, to: str = "") -> list[dict[str, Any]]:
        return list(self._call("GET", f"/sandbox/messages?to={to}"))

    def reset(self) -> None:
        self._call("POST", "/sandbox/reset")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.http.request(method, path, json=body)
        if answer.is_error:
            raise AssertionError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None


@contextmanager
def running_sandbox(**env: str) -> Iterator[RunningSandbox]:
    """The sandbox on free ports, with the credentials of `CREDENTIALS` unless `env` says otherwise."""
    ours = {**CREDENTIALS, "SANDBOX_PORT": "0", "SANDBOX_SMTP_PORT": "0", "SANDBOX_STATE": "", **env}
    process = _start(["-m", "sandbox"], ours)
    try:
        line = process.stdout.readline() if process.stdout else ""
        ready = READY.search(line)
        if ready is None:
            raise AssertionError(f"The sandbox did not start: {line!r}")
        sandbox = RunningSandbox(ready[1], int(ready[2]), process, ours, ready[3] or "")
        with sandbox.http:
            yield sandbox
    finally:
        _end(process)


def _start(arguments: Sequence[str], env: dict[str, str]) -> subprocess.Popen[str]:
    outside = {"SANDBOX_WEBHOOK_URL": "", "STAYS_WEBHOOK_SECRET": ""}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **outside, **env},
        stdout=subprocess.PIPE,
        text=True,
    )


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
