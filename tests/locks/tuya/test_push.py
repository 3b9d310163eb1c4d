"""What Tuya tells by itself: the login, the cipher, every shape of message; and the real wire against the sandbox."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from locks.errors import Configuration
from locks.provider import AlarmKind, Device
from locks.tuya import decoding, push
from locks.tuya.push import Heard
from tests.sandbox_process import CREDENTIALS, WIFI, ZIGBEE, RunningSandbox, running_sandbox

CLIENT_ID, SECRET = "1KAD46OrT9HafiKdsXeg", "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC"
AT = 1_800_000_000_000


def frame(data: object, number: str = "m1", key: str = SECRET[8:24]) -> str:
    plain = json.dumps(data).encode()
    pad = 16 - len(plain) % 16
    encryptor = Cipher(algorithms.AES(key.encode()), modes.ECB()).encryptor()
    cipher = encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
    payload = {"protocol": 4, "pv": "2.0", "t": AT, "data": base64.b64encode(cipher).decode(), "sign": ""}
    return json.dumps({"messageId": number, "payload": base64.b64encode(json.dumps(payload).encode()).decode()})


def test_password_vector() -> None:
    assert push.password(CLIENT_ID, SECRET) == "7e3ee9916b8f32b8"
    assert SECRET[8:24] == "qaEC1mWXOpVL3yV5"


@pytest.mark.parametrize(
    ("data", "online", "codes"),
    [
        (
            {"devId": "d", "productKey": "p", "status": [{"code": "doorbell", "value": True, "t": AT}]},
            None,
            ["doorbell"],
        ),
        ({"bizCode": "online", "devId": "d", "ts": AT}, True, []),
        ({"bizCode": "offline", "devId": "d", "ts": AT}, False, []),
        ({"bizCode": "deviceOnline", "bizData": {"devId": "d", "time": AT}}, True, []),
        ({"bizCode": "deviceOffline", "bizData": {"devId": "d", "time": AT}}, False, []),
        (
            {
                "bizCode": "devicePropertyMessage",
                "bizData": {"devId": "d", "properties": [{"code": "residual_electricity", "value": 9, "time": AT}]},
            },
            None,
            ["residual_electricity"],
        ),
        ({"bizCode": "nameUpdate", "devId": "d", "bizData": {"name": "new"}}, None, []),
    ],
)
def test_old_and_new_messages_are_read(data: object, online: bool | None, codes: list[str]) -> None:
    number, heard = push.decode(frame(data), SECRET)
    assert heard is not None
    assert (number, heard.device_id, heard.online) == ("m1", "d", online)
    assert [entry["status"]["code"] for entry in heard.entries] == codes


def test_a_status_is_read_as_the_logs_are() -> None:
    status = [{"code": "unlock_temporary", "value": "101", "t": AT}, {"code": "alarm_lock", "value": "pry", "t": AT}]
    _, heard = push.decode(frame({"devId": "d", "status": status}), SECRET)
    assert heard is not None
    opening, alarm = heard.entries
    (opened,) = decoding.door_openings(opening, Device("d", "wifi"))
    (alarmed,) = decoding.door_alarms(alarm)
    at = datetime.fromtimestamp(AT / 1000, UTC)
    assert (opened.pin_ref, opened.at) == ("1001", at)
    assert (alarmed.kind, alarmed.at) == (AlarmKind.TAMPER, at)


@pytest.mark.parametrize(
    "text",
    [
        frame({"devId": "d"}, key="another-key-16by"),
        frame(["no", "object"]),
        frame({"no": "device"}),
        json.dumps({"messageId": "m1", "payload": "!"}),
        json.dumps({"messageId": "m1"}),
        json.dumps({"messageId": "m1", "payload": base64.b64encode(b"{}").decode()}),
    ],
)
def test_what_cannot_be_read_is_acknowledged_all_the_same(text: str) -> None:
    assert push.decode(text, SECRET) == ("m1", None)


@pytest.mark.parametrize("text", ["", "[]", "{}", "no json"])
def test_a_frame_without_an_id_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="without an id"):
        push.decode(text, SECRET)


@pytest.mark.parametrize("url", ["http://x", "ws://tuya.example:1/", "ws://127.0.0.1.evil.example/", "nowhere", ""])
def test_only_encrypted_addresses_are_listened_to(url: str) -> None:
    with pytest.raises(Configuration):
        push.address(url, CLIENT_ID, SECRET, "event")


def test_the_address_is_made_as_tuya_wants_it() -> None:
    assert push.address("eu", "id", SECRET, "event-test").full == (
        "wss://mqe.tuyaeu.com:8285/ws/v2/consumer/persistent/id/out/event-test/id-sub"
        "?ackTimeoutMillis=3000&subscriptionType=Failover"
    )
    assert push.address("ws://127.0.0.1:1/", "id", SECRET, "event").full.startswith("ws://127.0.0.1:1/ws/v2/")


# -- on the wire -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SANDBOX_PUSH_PORT="0") as running:
        yield running


@contextmanager
def listening(sandbox: RunningSandbox, handle: Callable[[Heard], None], **login: str) -> Iterator[None]:
    names = {"client_id": CREDENTIALS["TUYA_CLIENT_ID"], "secret": CREDENTIALS["TUYA_CLIENT_SECRET"]} | login
    where = push.address(sandbox.push_url, names["client_id"], names["secret"], "event")
    stop = threading.Event()
    thread = threading.Thread(target=push.listen, args=(where, handle, lambda: None, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def until(probe: Callable[[], Any], seconds: float = 15.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < give_up_at, "it did not come true in time"
        time.sleep(0.05)


def test_what_happens_at_a_door_is_heard_once(sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    for logger in ("", "websockets", "websockets.client"):
        caplog.set_level(logging.DEBUG, logger=logger)
    sandbox.reset()
    heard: list[Heard] = []
    with listening(sandbox, heard.append):
        sandbox.wake(WIFI)
        sandbox.try_pin(ZIGBEE, "000000")
        sandbox.battery(WIFI, 12)
        until(lambda: len(heard) >= 3)
    assert [(one.device_id, one.online) for one in heard] == [(WIFI, True), (ZIGBEE, None), (WIFI, None)]
    assert decoding.battery({"status": [heard[2].entries[0]["status"]]}) == 12
    again: list[Heard] = []
    with listening(sandbox, again.append):
        sandbox.sleep(WIFI)
        until(lambda: again)
    assert [one.online for one in again] == [False], "what was acknowledged does not come again"
    for secret in (CREDENTIALS["TUYA_CLIENT_SECRET"], push.password(CLIENT_ID, SECRET)):
        assert secret not in caplog.text


def test_what_was_not_handled_comes_again_over_a_new_connection(sandbox: RunningSandbox) -> None:
    sandbox.reset()
    seen: list[Heard] = []

    def fail_once(heard: Heard) -> None:
        seen.append(heard)
        if len(seen) == 1:
            raise RuntimeError("the database is away")

    with listening(sandbox, fail_once):
        sandbox.wake(WIFI)
        until(lambda: len(seen) == 2)
    assert seen[0] == seen[1]


def test_a_refused_login_is_tried_again_and_never_quoted(
    sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = "w" * 32
    with listening(sandbox, lambda _: None, secret=wrong):
        time.sleep(0.3)
    said = caplog.text + "".join(capsys.readouterr())
    assert wrong not in said
    assert push.password(CLIENT_ID, wrong) not in said
