"""Tuya's provider and the sandbox's doors, over real HTTP."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from locks.provider import Device, Radio
from locks.tuya import MemoryTokenStore, TuyaProvider, provider_from
from tests.conformance.suite import Trouble
from tests.sandbox_process import BLE, CREDENTIALS, WIFI, ZIGBEE, RunningSandbox, running_sandbox

DOORS: dict[Radio, str] = {"wifi": WIFI, "zigbee": ZIGBEE, "ble": BLE}
FAULTS = {
    Trouble.DEVICE_OFFLINE: "offline",
    Trouble.DEVICE_BUSY: "busy",
    Trouble.LOCK_FULL: "full",
    Trouble.TOO_FAST: "rate_limited",
    Trouble.SERVER_BROKEN: "server_error",
    Trouble.PLAN_ENDED: "quota_gone",
    Trouble.CUT_AFTER_WRITE: "cut_connection",
    Trouble.TOKEN_LOST: "token_revoked",
    Trouble.CLOCK_APART: "clock_skew",
}


SECRETS = "access_token|refresh_token|ticket_id|ticket_key|password|local_key|offline_temp_password"
SECRET_FIELD = re.compile(rf'"({SECRETS})": *"([^"]+)"')


class TappedWire(httpx.HTTPTransport):
    """The real network, remembering every secret that passes, so that a test can look for it elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: set[str] = set()
        self.secrets: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._note(request.content)
        response = super().handle_request(request)
        self._note(response.read())
        return response

    def _note(self, content: bytes) -> None:
        for kind, secret in SECRET_FIELD.findall(content.decode()):
            self.kinds.add(kind)
            self.secrets.add(secret)


class SandboxStreet:
    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self._numbers = itertools.count(1)
        self._connect()

    def _connect(self) -> None:
        self.wire = TappedWire()
        self.provider: TuyaProvider = provider_from(
            self.sandbox.base_url,
            CREDENTIALS["TUYA_CLIENT_ID"],
            CREDENTIALS["TUYA_CLIENT_SECRET"],
            MemoryTokenStore(),
            transport=self.wire,
        )

    def reset(self) -> None:
        self.close()
        self.sandbox.reset()
        self._connect()

    def close(self) -> None:
        self.provider.client.close()

    def tamper(self, device: Device) -> None:
        self.sandbox.alarm(device.device_id, "pry")

    def device(self, radio: Radio) -> Device | None:
        return Device(DOORS[radio], radio)

    def sleeps(self, device: Device) -> bool:
        return device.radio == "wifi"

    def wake(self, device: Device) -> None:
        self.sandbox.wake(device.device_id)

    def new_pin(self, device: Device) -> str:
        digits = 7 if device.radio == "wifi" else 6
        return str(next(self._numbers) * 7919 + 10 ** (digits - 1))

    def opens(self, device: Device, pin: str) -> bool:
        return bool(self.sandbox.try_pin(device.device_id, pin)["opened"])

    @contextmanager
    def trouble(self, device: Device, trouble: Trouble) -> Iterator[None]:
        self.sandbox.fault(device.device_id, FAULTS[trouble])
        try:
            yield
        finally:
            self.sandbox.fault(device.device_id, FAULTS[trouble], on=False)


@contextmanager
def tuya_street() -> Iterator[SandboxStreet]:
    with running_sandbox(SANDBOX_DELIVERY_SECONDS="0.05") as sandbox:
        street = SandboxStreet(sandbox)
        yield street
        street.close()
