"""The sandbox as a running program: real sockets, webhooks, mail over SMTP, and what survives a restart."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.wire import WireCaller
from tests.sandbox_process import BLE, CREDENTIALS, LISTING, ROOT, WIFI, ZIGBEE, RunningSandbox, running_sandbox

PATIENCE_SECONDS = 10
BOOKING = {"listing": LISTING[WIFI], "checkInDate": "2026-12-01", "checkOutDate": "2026-12-03"}


def until(true: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_SECONDS
    while not (value := true()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return value


class Receiver:
    """A tiny web server that keeps what it was sent."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received.append(({key.lower(): value for key, value in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/stays/token/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self, count: int) -> list[dict[str, Any]]:
        until(lambda: len(self.received) >= count)
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def test_each_change_at_the_desk_sends_its_webhook_in_order(receiver: Receiver) -> None:
    with running_sandbox(SANDBOX_WEBHOOK_URL=receiver.url, STAYS_WEBHOOK_SECRET="first,second") as sandbox:
        booked = sandbox.book(**BOOKING)["_id"]
        sandbox.change(booked, checkOutDate="2026-12-04")
        sandbox.cancel(booked)
        sandbox.change(booked, type="booked")
        sandbox.delete(booked)
        sent = receiver.bodies(5)
        assert until(lambda: [line["status"] for line in sandbox.webhooks()] == [200] * 5)

    verbs = ["created", "modified", "canceled", "reactivated", "deleted"]
    assert [body["action"] for body in sent] == [f"reservation.{verb}" for verb in verbs]
    assert all(set(body) == {"action", "_dt", "payload"} and body["_dt"].endswith("Z") for body in sent)
    assert sent[0]["payload"]["_idlisting"] == LISTING[WIFI]
    assert set(sent[4]["payload"]) == {"_id", "_idlisting", "from", "to"}
    headers, raw = receiver.received[0]
    assert headers["user-agent"] == "got (https://github.com/sindresorhus/got)"
    assert headers["x-stays-client-id"] == CREDENTIALS["STAYS_CLIENT_ID"]
    assert headers["x-stays-signature"] == "sha256=" + hmac.new(b"first", raw, hashlib.sha256).hexdigest()


def test_webhooks_can_be_kept_back_or_doubled_and_are_unsigned_without_a_secret(receiver: Receiver) -> None:
    with running_sandbox(SANDBOX_WEBHOOK_URL=receiver.url) as sandbox:
        sandbox.book(**BOOKING, webhook=False)
        sandbox.book(**BOOKING, webhook="twice")
        receiver.bodies(2)

    assert receiver.received[0][1] == receiver.received[1][1]
    assert "x-stays-signature" not in receiver.received[0][0]


def test_the_readers_of_a_webhook_find_the_reservation_already_changed(receiver: Receiver) -> None:
    with running_sandbox(SANDBOX_WEBHOOK_URL=receiver.url) as sandbox:
        sandbox.book(**BOOKING)
        name = receiver.bodies(1)[0]["payload"]["_id"]
        login = (CREDENTIALS["STAYS_CLIENT_ID"], CREDENTIALS["STAYS_CLIENT_SECRET"])
        answer = sandbox.http.get(f"/external/v1/booking/reservations/{name}", auth=login)
        assert answer.status_code == 200


def test_mail_sent_over_smtp_is_readable(sandbox: RunningSandbox) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "casa@example.org", "Ana@example.org, bo@example.org", "Olá, çãé"
    mail.set_content("O código é 1928374.\nAté já!")
    mail.add_alternative("<p>Não este</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port) as smtp:
        smtp.send_message(mail)

    (message,) = sandbox.messages("ana@example.org")
    assert message["subject"] == "Olá, çãé"
    assert message["body"] == "O código é 1928374.\nAté já!"
    assert (message["channel"], set(message)) == ("email", {"to", "channel", "subject", "body", "at"})
    assert [message["to"] for message in sandbox.messages()] == ["Ana@example.org", "bo@example.org"]
    assert sandbox.messages("nobody@example.org") == []


def test_state_survives_a_restart(tmp_path: Path) -> None:
    state = str(tmp_path / "deep" / "world.json")
    with running_sandbox(SANDBOX_STATE=state) as sandbox:
        booked = sandbox.book(**BOOKING, guest={"name": "Ana", "email": "ana@example.org"})
        sandbox.fault(ZIGBEE, "busy", times=2)
        sandbox.try_pin(BLE, "000000")
        before = [sandbox.door(door) for door in (WIFI, ZIGBEE, BLE)], sandbox.reservations()
    with running_sandbox(SANDBOX_STATE=state) as sandbox:
        after = [sandbox.door(door) for door in (WIFI, ZIGBEE, BLE)], sandbox.reservations()
        for door in (*before[0], *after[0]):
            del door["clock"]
        assert after == before
        assert after[1][0]["_id"] == booked["_id"]


def test_a_cut_connection_is_an_empty_answer_on_the_wire(sandbox: RunningSandbox) -> None:
    caller = WireCaller(sandbox.base_url)
    sandbox.fault(ZIGBEE, "cut_connection", times=1)
    with pytest.raises(httpx.TransportError):
        caller.create(ZIGBEE, "192837")
    opened = until(lambda: sandbox.try_pin(ZIGBEE, "192837")["opened"])
    assert opened


def test_while_one_answer_is_slow_others_are_served(sandbox: RunningSandbox) -> None:
    caller = WireCaller(sandbox.base_url, timeout=0.5)
    sandbox.fault(ZIGBEE, "slow_after_commit", seconds=30)
    with pytest.raises(httpx.TimeoutException):
        caller.create(ZIGBEE, "192837")
    assert until(lambda: sandbox.try_pin(ZIGBEE, "192837")["opened"])


def test_it_ends_within_two_seconds_even_while_an_answer_is_slow() -> None:
    with running_sandbox() as sandbox:
        sandbox.fault(ZIGBEE, "slow_after_commit", seconds=30)
        with pytest.raises(httpx.TimeoutException):
            WireCaller(sandbox.base_url, timeout=0.5).create(ZIGBEE, "192837")
        started = time.monotonic()
        sandbox.process.terminate()
        assert sandbox.process.wait(timeout=5) == 0
        assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"TUYA_CLIENT_SECRET": "short"}, "TUYA_CLIENT_SECRET must be 32 characters"),
        ({"SANDBOX_PORT": "eighty"}, "SANDBOX_PORT must be a number"),
    ],
)
def test_a_wrong_setting_is_said_in_one_sentence(env: dict[str, str], words: str) -> None:
    done = _run(env)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_broken_state_file_is_said_and_left_alone(tmp_path: Path) -> None:
    state = tmp_path / "world.json"
    state.write_text('{"doors": {')
    done = _run({"SANDBOX_STATE": str(state)})
    assert done.returncode == 2
    assert "remove it to start with fresh doors" in done.stderr
    assert state.read_text() == '{"doors": {'


def test_a_taken_port_is_said_with_the_variable_to_change(sandbox: RunningSandbox) -> None:
    done = _run({"SANDBOX_PORT": sandbox.base_url.rsplit(":", 1)[1]})
    assert done.returncode == 2
    assert "SANDBOX_PORT" in done.stderr


def _run(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox"],
        cwd=ROOT,
        env={"SANDBOX_SMTP_PORT": "0", "SANDBOX_PORT": "0", **env},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
