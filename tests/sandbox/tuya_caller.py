"""A second, independent reading of Tuya's protocol, so that the sandbox is not tested with its own signature code."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

CLIENT_ID = "1KAD46OrT9HafiKdsXeg"
SECRET = "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC"


class TuyaCaller:
    def __init__(self, http: FlaskClient, clock: Callable[[], float], client_id: str = CLIENT_ID) -> None:
        self.http = http
        self.clock = clock
        self.client_id = client_id
        self.secret = SECRET
        self.token = ""

    def log_in(self) -> None:
        self.token = self.call("GET", "/v1.0/token?grant_type=1", token="")["result"]["access_token"]

    def call(self, method: str, url: str, body: object = None, **options: Any) -> dict[str, Any]:
        answer = self.send(method, url, body, **options)
        assert answer.status_code == 200
        return dict(answer.get_json())

    def send(self, method: str, url: str, body: object = None, **options: Any) -> TestResponse:
        """`options`: token, t, nonce, headers (added or replaced; None leaves one out)."""
        raw = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        token = options.get("token", self.token)
        t = str(options.get("t", int(self.clock() * 1000)))
        nonce = options.get("nonce", "")
        text = "\n".join([method, hashlib.sha256(raw).hexdigest(), "", url])
        message = self.client_id + token + t + nonce + text
        headers: dict[str, str | None] = {
            "client_id": self.client_id,
            "sign": hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest().upper(),
            "sign_method": "HMAC-SHA256",
            "t": t,
            "access_token": token,
            "nonce": nonce or None,
            **options.get("headers", {}),
        }
        sent = {name: value for name, value in headers.items() if value is not None}
        return self.http.open(url, method=method, data=raw or None, headers=sent, content_type="application/json")

    def ticket(self, device_id: str) -> tuple[str, bytes]:
        result = self.call("POST", f"/v1.0/devices/{device_id}/door-lock/password-ticket")["result"]
        plain = _ecb(self.secret.encode(), bytes.fromhex(result["ticket_key"]), encrypt=False)
        return result["ticket_id"], plain[: -plain[-1]]

    def wish(self, device_id: str, pin: str, start: float, end: float, name: str) -> dict[str, Any]:
        ticket_id, key = self.ticket(device_id)
        pad = 16 - len(pin) % 16
        cipher = _ecb(key, pin.encode() + bytes([pad]) * pad, encrypt=True).hex()
        return {
            "name": name,
            "password": cipher,
            "password_type": "ticket",
            "ticket_id": ticket_id,
            "effective_time": int(start),
            "invalid_time": int(end),
        }

    def create(
        self, device_id: str, pin: str, start: float = 0, end: float = 3600, name: str = "stay"
    ) -> dict[str, Any]:
        """`start` and `end` are seconds from now."""
        now = self.clock()
        body = self.wish(device_id, pin, now + start, now + end, name)
        return self.call("POST", f"/v1.0/devices/{device_id}/door-lock/temp-password", body)

    def created(self, device_id: str, pin: str, start: float = 0, end: float = 3600, name: str = "stay") -> int:
        answer = self.create(device_id, pin, start, end, name)
        assert answer["success"], answer
        return int(answer["result"]["id"])

    def modify(
        self, device_id: str, number: int, pin: str, start: float = 0, end: float = 3600, name: str = "stay"
    ) -> dict[str, Any]:
        now = self.clock()
        body = self.wish(device_id, pin, now + start, now + end, name)
        return self.call("PUT", f"/v1.0/devices/{device_id}/door-lock/temp-passwords/{number}/modify-password", body)

    def delete(self, device_id: str, number: int) -> dict[str, Any]:
        return self.call("DELETE", f"/v1.0/devices/{device_id}/door-lock/temp-passwords/{number}")

    def read(self, device_id: str, number: int) -> dict[str, Any]:
        return self.call("GET", f"/v1.0/devices/{device_id}/door-lock/temp-password/{number}")

    def phase(self, device_id: str, number: int) -> int:
        return int(self.read(device_id, number)["result"]["phase"])

    def listed(self, device_id: str, valid: str = "true") -> list[dict[str, Any]]:
        url = f"/v1.0/devices/{device_id}/door-lock/temp-passwords?valid={valid}"
        return list(self.call("GET", url)["result"])


def _ecb(key: bytes, data: bytes, *, encrypt: bool) -> bytes:
    cipher = Cipher(algorithms.AES(key), modes.ECB())
    worker = cipher.encryptor() if encrypt else cipher.decryptor()
    return worker.update(data) + worker.finalize()
