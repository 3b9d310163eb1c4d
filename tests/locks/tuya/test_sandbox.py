"""What is Tuya's own: tickets, tokens, gateways, calls and secrets, on the real wire."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from locks.errors import DoorError, PinTaken, Refused
from locks.provider import PinState
from tests.conformance.suite import Stay, eventually
from tests.conformance.tuya_street import SandboxStreet
from tests.sandbox_process import CREDENTIALS, RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SANDBOX_DELIVERY_SECONDS="0.05") as running:
        yield running


TROUBLES = ("ticket_stale", "cut_connection", "server_error", "duplicate_pin", "quota_gone", "cloud_down")


class TestTuya:
    @pytest.fixture
    def street(self, sandbox: RunningSandbox) -> Iterator[SandboxStreet]:
        sandbox.reset()
        street = SandboxStreet(sandbox)
        yield street
        street.close()

    @pytest.fixture(params=["wifi", "zigbee", "ble"])
    def stay(self, request: pytest.FixtureRequest, street: SandboxStreet) -> Stay:
        device = street.device(request.param)
        assert device is not None
        return Stay(street, device)

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

    def test_the_whole_surface_leaves_no_secret_in_any_log(
        self, street: SandboxStreet, stay: Stay, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With every logger at DEBUG, those of the HTTP library too."""
        for logger in ("", "httpx", "httpcore", "httpcore.http11", "httpcore.connection", "locks"):
            caplog.set_level(logging.DEBUG, logger=logger)
        provider, device, day = street.provider, stay.device, timedelta(days=1)
        sandbox, at = street.sandbox, datetime.now(UTC)
        raised: list[BaseException] = []
        with structlog.testing.capture_logs() as events:
            stay.create()
            stay.arrives_at(PinState.ON_LOCK)
            eventually(lambda: street.opens(device, stay.pin))
            stay.listed()
            code = provider.create_offline_code(device, name="offline", window=stay.window)
            provider.openings(device, at - day, at + day)
            provider.alarms(device, at - day, at + day)
            provider.read_device(device)
            sandbox.fault(device.device_id, "token_revoked")
            stay.change()
            sandbox.fault(device.device_id, "clock_skew")
            stay.change()
            sandbox.fault(device.device_id, "clock_skew", on=False)
            for fault in TROUBLES:
                sandbox.fault(device.device_id, fault)
                with pytest.raises(DoorError) as caught:
                    stay.change()
                raised.append(caught.value)
                sandbox.fault(device.device_id, fault, on=False)
            stay.delete()
        said = caplog.text + repr(events) + "".join("".join(traceback.format_exception(one)) for one in raised)
        said += repr([code, stay.read(), provider.client])
        secrets = {stay.pin, code.code, CREDENTIALS["TUYA_CLIENT_SECRET"], *street.wire.secrets}
        kinds = {"access_token", "refresh_token", "ticket_id", "ticket_key", "password", "local_key"}
        assert street.wire.kinds == kinds | {"offline_temp_password"}
        assert "tuya.unreachable" in said
        assert "httpcore" in said
        assert not [secret for secret in secrets if secret in said]

    def test_two_processes_survive_a_project_with_one_token(self, street: SandboxStreet, stay: Stay) -> None:
        street.sandbox.fault(stay.device.device_id, "one_token_only")
        other = SandboxStreet(street.sandbox)
        for _ in range(2):
            street.provider.list_pins(stay.device)
            other.provider.list_pins(stay.device)
        other.provider.client.close()
