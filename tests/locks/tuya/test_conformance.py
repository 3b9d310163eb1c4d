"""TuyaProvider against the sandbox, over real HTTP."""

from __future__ import annotations

import itertools
import logging
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import structlog

from locks.errors import PinTaken, Refused, UnknownOutcome
from locks.provider import Device, PinState, Radio
from locks.tuya import MemoryTokenStore, TuyaProvider, provider_from
from tests.locks.door_conformance import DoorConformance, Stay, Trouble
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


SECRET_FIELD = re.compile(r'"(access_token|ticket_id|ticket_key|password|local_key)": *"([^"]+)"')


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
        self.wire = TappedWire()
        self.provider: TuyaProvider = provider_from(
            sandbox.base_url,
            CREDENTIALS["TUYA_CLIENT_ID"],
            CREDENTIALS["TUYA_CLIENT_SECRET"],
            MemoryTokenStore(),
            transport=self.wire,
        )
        self._numbers = itertools.count(1)

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


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SANDBOX_DELIVERY_SECONDS="0.05") as running:
        yield running


class TestTuya(DoorConformance):
    @pytest.fixture
    def street(self, sandbox: RunningSandbox) -> Iterator[SandboxStreet]:
        sandbox.reset()
        street = SandboxStreet(sandbox)
        yield street
        street.provider.client.close()

    def test_a_stay_costs_at_most_seven_calls(self, street: SandboxStreet, stay: Stay) -> None:
        stay.create()
        stay.read()
        stay.delete()
        stay.read()
        assert street.provider.client.calls <= 7

    def test_digits_are_taken_once_on_wifi(self, street: SandboxStreet, stay: Stay) -> None:
        stay.create()
        other = Stay(street, stay.device)
        other.pin = stay.pin
        if stay.device.radio == "wifi":
            with pytest.raises(PinTaken):
                other.create()

    def test_a_removal_waits_for_the_sleeping_lock(self, street: SandboxStreet, stay: Stay) -> None:
        if not street.sleeps(stay.device):
            pytest.skip("this lock does not sleep")
        stay.create()
        stay.arrives_at(PinState.ON_LOCK)
        street.sandbox.sleep(stay.device.device_id)
        stay.delete()
        assert stay.read().state is PinState.REMOVING
        assert [one.state for one in stay.listed()] == [PinState.REMOVING]
        stay.delete()
        stay.arrives_at(PinState.GONE)

    def test_what_the_gateway_cannot_deliver_has_failed(self, street: SandboxStreet, stay: Stay) -> None:
        if stay.device.radio == "wifi":
            pytest.skip("no gateway")
        street.sandbox.fault(stay.device.device_id, "create_fails")
        stay.create()
        stay.arrives_at(PinState.FAILED)

    def test_references_by_the_other_name_are_read(self, street: SandboxStreet, stay: Stay) -> None:
        stay.create()
        street.sandbox.fault(stay.device.device_id, "password_id_key")
        assert [one.ref for one in stay.listed()] == [stay.ref]
        assert stay.read().ref == stay.ref

    def test_a_stale_ticket_is_replaced(self, street: SandboxStreet, stay: Stay) -> None:
        street.sandbox.fault(stay.device.device_id, "ticket_stale", times=1)
        stay.create()
        street.sandbox.fault(stay.device.device_id, "ticket_stale")
        with pytest.raises(Refused):
            stay.change()

    def test_a_short_ticket_is_enough(self, street: SandboxStreet, stay: Stay) -> None:
        street.sandbox.fault(stay.device.device_id, "short_ticket", seconds=1, times=1)
        stay.create()

    def test_real_traffic_leaves_no_secret_in_any_log(
        self, street: SandboxStreet, stay: Stay, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        with structlog.testing.capture_logs() as events:
            stay.create()
            stay.change()
            with street.trouble(stay.device, Trouble.CUT_AFTER_WRITE), pytest.raises(UnknownOutcome) as caught:
                stay.delete()
            street.provider.read_device(stay.device)
        said = caplog.text + repr(events) + "".join(traceback.format_exception(caught.value))
        secrets = {stay.pin, CREDENTIALS["TUYA_CLIENT_SECRET"], *street.wire.secrets}
        assert street.wire.kinds == {"access_token", "ticket_id", "ticket_key", "password", "local_key"}
        assert "tuya.unreachable" in said
        assert not [secret for secret in secrets if secret in said]

    def test_two_processes_survive_a_project_with_one_token(self, street: SandboxStreet, stay: Stay) -> None:
        street.sandbox.fault(stay.device.device_id, "one_token_only")
        other = SandboxStreet(street.sandbox)
        for _ in range(2):
            street.provider.list_pins(stay.device)
            other.provider.list_pins(stay.device)
        other.provider.client.close()
