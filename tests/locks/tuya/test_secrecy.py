"""Nothing secret in any log, error, traceback text or repr, whatever goes wrong."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator

import httpx
import pytest
import structlog

from locks.errors import DoorError
from locks.tuya import TuyaProvider
from tests.locks.tuya.fake_cloud import (
    CIPHER,
    DOOR,
    LOCK,
    PIN,
    SECRET,
    TICKET,
    TICKET_KEY,
    TOKEN,
    FakeCloud,
    ok,
    refusal,
    soon,
)

LOCAL_KEY = "local-key-of-lock"
SECRETS = [SECRET, TOKEN, TICKET_KEY, CIPHER, PIN, str(TICKET["ticket_id"]), LOCAL_KEY]
# A server that quotes everything it was given.
GOSSIP = " ".join(SECRETS)

CREATE = ("POST", f"{LOCK}/temp-password")
MODIFY = ("PUT", f"{LOCK}/temp-passwords/901/modify-password")
DELETE = ("DELETE", f"{LOCK}/temp-passwords/901")
READ = ("GET", f"{LOCK}/temp-password/901")
DEVICE = ("GET", f"/v1.0/devices/{DOOR.device_id}")

TROUBLES: list[httpx.Response | Exception] = [
    refusal(1010, GOSSIP),
    refusal(1013, GOSSIP),
    refusal(1109, GOSSIP),
    refusal(2001, GOSSIP),
    refusal(2316, GOSSIP),
    refusal(2322, GOSSIP),
    refusal(2318, GOSSIP),
    refusal(2321, GOSSIP),
    refusal(2324, GOSSIP),
    refusal(4711, GOSSIP),
    httpx.Response(500, text=GOSSIP),
    httpx.Response(200, text=GOSSIP),
    httpx.Response(302, headers={"location": f"https://example.org/{TOKEN}"}),
    httpx.ReadTimeout("late"),
    httpx.ConnectError("refused"),
    ok({"unexpected": GOSSIP}),
    ok(GOSSIP),
    ok(False),
]


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Everything said anywhere: our events, the HTTP library's logs, and what a test adds."""
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    with structlog.testing.capture_logs() as events:
        yield texts
    said = "\n".join([*texts, *map(repr, events), caplog.text])
    assert "tuya.answered" in said
    for secret in SECRETS:
        assert secret not in said


def whole_life(provider: TuyaProvider, written: list[str]) -> None:
    calls: list[Callable[[], object]] = [
        lambda: provider.create_pin(DOOR, name="stay-1", pin=PIN, window=soon()),
        lambda: provider.read_pin(DOOR, "901"),
        lambda: provider.list_pins(DOOR),
        lambda: provider.change_pin(DOOR, "901", name="stay-1", pin=PIN, window=soon()),
        lambda: provider.delete_pin(DOOR, "901"),
        lambda: provider.read_device(DOOR),
        lambda: (provider, provider.client),
    ]
    for call in calls:
        try:
            written.append(repr(call()))
        except DoorError as error:
            written.append(repr(error) + str(error) + "".join(traceback.format_exception(error)))


def set_up(cloud: FakeCloud) -> None:
    cloud.reply(*CREATE, ok({"id": 901}))
    cloud.reply(*MODIFY, ok(True))
    cloud.reply(*DELETE, ok(True))
    cloud.reply(*READ, ok({"id": 901, "name": "stay-1", "phase": 2}))
    cloud.reply("GET", f"{LOCK}/temp-passwords", ok([{"id": 901, "name": "stay-1", "phase": 2}]))
    cloud.reply(*DEVICE, ok({"name": "Porta", "online": True, "local_key": LOCAL_KEY}))


def test_nothing_secret_is_said_when_all_goes_well(
    provider: TuyaProvider, cloud: FakeCloud, written: list[str]
) -> None:
    set_up(cloud)
    whole_life(provider, written)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_nothing_secret_is_said_when_things_go_wrong(
    provider: TuyaProvider, cloud: FakeCloud, written: list[str], trouble: httpx.Response | Exception
) -> None:
    set_up(cloud)
    for method, path in (CREATE, MODIFY, DELETE, READ):
        cloud.reply(method, path, trouble)
    whole_life(provider, written)


def test_nothing_secret_is_said_about_bad_tickets_and_pins(
    provider: TuyaProvider, cloud: FakeCloud, written: list[str]
) -> None:
    set_up(cloud)
    cloud.reply("POST", f"{LOCK}/password-ticket", ok({**TICKET, "ticket_key": TICKET_KEY[:-2]}), ok(TICKET))
    whole_life(provider, written)
    with contextlib.suppress(DoorError):
        provider.create_pin(DOOR, name="stay-1", pin=PIN + "x", window=soon())
