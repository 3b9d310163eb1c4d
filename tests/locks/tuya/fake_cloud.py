"""A Tuya cloud of hand-written answers, for what the sandbox cannot be made to say. It records what reaches it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import httpx

from locks.provider import Device, Window
from locks.tuya import MemoryTokenStore, TuyaProvider, provider_from

CLIENT_ID = "1KAD46OrT9HafiKdsXeg"
# The sample secret of Tuya's own documentation, and a ticket key that fits it.
SECRET = "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC"
TICKET_KEY = "E8EACE19C6075C139FE8452771A6CF7F9173247C8D56147E406EBA159F6E577A"
TOKEN = "3f4eda2bdec17232f67c0b188af3eec1"
TICKET = {"ticket_id": "9wxxoLM", "ticket_key": TICKET_KEY, "expire_time": 360}

PIN = "1234567"
CIPHER = "8F8AD3F0CFD6ECA192126E4AD28A73F2"
DOOR = Device("vdevo153459260090544", "wifi")
LOCK = f"/v1.0/devices/{DOOR.device_id}/door-lock"

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def ok(result: object, **more: object) -> httpx.Response:
    return httpx.Response(200, json={"success": True, "result": result, "t": now_ms(), "tid": "tid-ok", **more})


def refusal(code: int, msg: str = "no", **more: object) -> httpx.Response:
    body = {"success": False, "code": code, "msg": msg, "t": now_ms(), "tid": "tid-refused", **more}
    return httpx.Response(200, json=body)


def now_ms() -> int:
    return int(time.time() * 1000)


def soon() -> Window:
    """From tomorrow, for two days."""
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    return Window(start, start + timedelta(days=2))


class FakeCloud(httpx.BaseTransport):
    """Answers each path with its replies in turn, the last one for ever. Gives tokens and tickets by itself."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self.reply("GET", "/v1.0/token", ok({"access_token": TOKEN, "expire_time": 7200, "uid": "u"}))
        self.reply("POST", f"{LOCK}/password-ticket", ok(TICKET))

    def reply(self, method: str, path: str, *replies: Reply) -> None:
        self._replies[method, path] = list(replies)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        waiting = self._replies[request.method, request.url.path]
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, Exception):
            raise reply
        if callable(reply):
            return reply(request)
        # A fresh copy, since a response can only be read once.
        return httpx.Response(reply.status_code, content=reply.content, headers=reply.headers)

    def seen(self, method: str, path: str) -> list[httpx.Request]:
        return [one for one in self.requests if (one.method, one.url.path) == (method, path)]

    def paths(self) -> Iterable[str]:
        return [f"{one.method} {one.url.path}" for one in self.requests]


def provider_at(cloud: httpx.BaseTransport) -> TuyaProvider:
    return provider_from("eu", CLIENT_ID, SECRET, MemoryTokenStore(), transport=cloud)
