"""What is Tuya's own: tickets, tokens, gateways, calls and secrets, on the real wire."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest
import structlog

from locks.errors import PinTaken, Refused, UnknownOutcome
from locks.provider import PinState
from tests.conformance.suite import Stay, Trouble
from tests.conformance.tuya_street import SandboxStreet
from tests.sandbox_process import CREDENTIALS, RunningSandbox, running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SANDBOX_DELIVERY_SECONDS="0.05") as running:
        yield running


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
