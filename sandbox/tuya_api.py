"""The HTTP half of the pretend Tuya cloud: routes, the order of checks, the envelope, and the faults around them."""

from __future__ import annotations

import secrets
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox import tuya_calls as calls
from sandbox.faults import Fault, is_on, strike
from sandbox.state import Door, World
from sandbox.store import Store
from sandbox.tuya_auth import Gate, SignedRequest
from sandbox.tuya_errors import TuyaError

FORM = "application/x-www-form-urlencoded"
REFUSALS = {"offline": 2001, "lock_not_online": 2312, "busy": 2317}


class Effect(Enum):
    """READ and NOTE leave the lock alone; only WRITE meets the troubles of a lock."""

    READ = "read"
    NOTE = "note"
    WRITE = "write"


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    work: Callable[[calls.Call], object]
    effect: Effect = Effect.READ


LOCK = "/v1.0/devices/<device_id>/door-lock"
ONE = f"{LOCK}/temp-passwords/<int:number>"

ROUTES = [
    Route("POST", f"{LOCK}/password-ticket", calls.password_ticket, Effect.NOTE),
    Route("POST", "/v1.0/smart-lock/devices/<device_id>/password-ticket", calls.password_ticket, Effect.NOTE),
    Route("POST", f"{LOCK}/temp-password", calls.create_password, Effect.WRITE),
    Route("GET", f"{LOCK}/temp-password/<int:number>", calls.get_password),
    Route("GET", f"{LOCK}/temp-passwords", calls.list_passwords),
    Route("PUT", f"{ONE}/modify-password", calls.modify_password, Effect.WRITE),
    Route("PUT", f"{ONE}/freeze-password", calls.freeze_password, Effect.WRITE),
    Route("PUT", f"{ONE}/unfreeze-password", calls.unfreeze_password, Effect.WRITE),
    Route("DELETE", ONE, calls.delete_password, Effect.WRITE),
    Route("DELETE", f"{ONE}/record", calls.delete_record, Effect.NOTE),
    Route("POST", f"{LOCK}/temp-passwords/rest-password", calls.clear_passwords, Effect.WRITE),
    Route("POST", f"{LOCK}/temp-passwords/reset-password", calls.clear_passwords, Effect.WRITE),
    Route("POST", f"{LOCK}/issue-password", calls.issue_password, Effect.WRITE),
    Route("POST", "/v1.1/devices/<device_id>/door-lock/offline-temp-password", calls.create_offline, Effect.NOTE),
    Route("GET", f"{LOCK}/offline-temp-password", calls.list_offline),
    Route("GET", f"{LOCK}/open-logs", calls.open_logs),
    Route("GET", "/v1.1/devices/<device_id>/door-lock/open-logs", calls.open_logs),
    Route("GET", f"{LOCK}/alarm-logs", calls.alarm_logs),
    Route("GET", "/v1.0/devices/<device_id>", calls.get_device),
    Route("GET", "/v1.0/devices/<device_id>/status", calls.get_status),
    Route("GET", "/v1.0/iot-03/devices/<device_id>", calls.get_device),
    Route("GET", "/v1.1/iot-03/devices/<device_id>", calls.get_device),
    Route("GET", "/v1.0/iot-03/devices/<device_id>/status", calls.get_status),
]
VERSIONS = ("v1.0", "v1.1", "v1.2", "v1.3", "v2.0", "v2.1")
ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class ServerBroken(Exception):
    """The fault `server_error`: not a Tuya answer at all."""


class TuyaApi:
    def __init__(self, store: Store, gate: Gate, delivery_seconds: float) -> None:
        self.store = store
        self.gate = gate
        self.delivery_seconds = delivery_seconds
        self.counted: Counter[str] = Counter()

    def register(self, app: Flask) -> None:
        for route in ROUTES:
            self._add(app, [route.method], route.path, lambda route=route, **at: self._about_a_door(route, **at))
        self._add(app, ["GET"], "/v1.0/token", lambda: self._token(""))
        self._add(app, ["GET"], "/v1.0/token/<refresh_token>", self._token)
        self._add(app, ["GET"], "/v1.3/iot-03/devices", self._devices)
        app.add_url_rule("/sandbox/calls", "calls", lambda: jsonify(self.counted))
        for version in VERSIONS:
            self._add(app, ANY_METHOD, f"/{version}/<path:rest>", lambda rest: self._no_such_path())

    def _add(self, app: Flask, methods: list[str], path: str, view: Callable[..., Response]) -> None:
        name = f"tuya {' '.join(methods)} {path}"
        app.add_url_rule(path, name, view, methods=methods, provide_automatic_options=False)

    # -- the views ----------------------------------------------------------------------------------------------

    def _about_a_door(self, route: Route, device_id: str, number: int = 0) -> Response:
        def work(world: World, now: float) -> object:
            door = world.doors.get(device_id)
            if door is None:
                raise TuyaError(2010)
            self._meet_door_faults(door, route.effect, now)
            late = strike(door.faults, "late_success", now) if route.effect is Effect.WRITE else None
            delay = max(self.delivery_seconds, late.seconds or 0.0) if late else self.delivery_seconds
            call = calls.Call(world, door, self.gate, now, delay, _json_body(), request.args, number)
            result = route.work(call)
            if late:
                door.hidden_until = now + delay
                raise TuyaError(500)
            return result

        answer = self._answer(work, writes=route.effect is not Effect.READ)
        return self._meet_late_faults(answer, device_id) if route.effect is Effect.WRITE else answer

    def _token(self, refresh_token: str) -> Response:
        def work(world: World, now: float) -> object:
            if refresh_token:
                return self.gate.refresh(refresh_token, now)
            if request.args.get("grant_type") != "1":
                raise TuyaError(1003)
            only_one = is_on(world.cloud_faults, "one_token_only", now) is not None
            return self.gate.new_token(now, only_one=only_one)

        return self._answer(work, with_token=False)

    def _devices(self) -> Response:
        ids = [text for text in request.args.get("device_ids", "").split(",") if text]
        return self._answer(lambda world, now: calls.list_devices(world, ids, now, self.gate.uid))

    def _no_such_path(self) -> Response:
        def work(world: World, now: float) -> object:
            raise TuyaError(1108)

        return self._answer(work)

    # -- one request --------------------------------------------------------------------------------------------

    def _answer(
        self, work: Callable[[World, float], object], *, with_token: bool = True, writes: bool = False
    ) -> Response:
        with self.store.session(writes=writes) as (world, now):
            self.counted[f"{request.method} {request.url_rule}"] += 1
            if strike(world.cloud_faults, "cloud_down", now):
                return Response("<html>502 Bad Gateway</html>", status=502, mimetype="text/html")
            skew = is_on(world.cloud_faults, "clock_skew", now)
            cloud_now = now + (skew.seconds or 0.0 if skew else 0.0)
            try:
                self._let_in(world, now, cloud_now, with_token)
                return _envelope(cloud_now, {"result": work(world, now), "success": True})
            except TuyaError as error:
                return _envelope(cloud_now, {"code": error.code, "msg": error.text, "success": False})
            except ServerBroken:
                return Response("Internal Server Error", status=500, mimetype="text/plain")

    def _let_in(self, world: World, now: float, cloud_now: float, with_token: bool) -> None:
        """Tuya's order: headers, client id, clock, signature; then limits; then the token."""
        self.gate.check_signature(_signed_request(), cloud_now, with_token=with_token)
        if strike(world.cloud_faults, "ip_blocked", now):
            raise TuyaError(1114)
        if strike(world.cloud_faults, "rate_limited", now):
            raise TuyaError(1199)
        if not with_token:
            return
        if strike(world.cloud_faults, "quota_gone", now):
            raise TuyaError(28841004)
        token = request.headers["access_token"]
        if strike(world.cloud_faults, "token_revoked", now):
            self.gate.revoke(token)
        self.gate.check_token(token, now)

    def _meet_door_faults(self, door: Door, effect: Effect, now: float) -> None:
        if strike(door.faults, "server_error", now):
            raise ServerBroken
        if effect is not Effect.WRITE:
            return
        for name, code in REFUSALS.items():
            if strike(door.faults, name, now):
                raise TuyaError(code)

    def _meet_late_faults(self, answer: Response, device_id: str) -> Response:
        """After the work is done: a slow answer, or none. Outside the session, so others are served meanwhile."""
        if not (answer.get_json(silent=True) or {}).get("success"):
            return answer
        slow = self._strike_door(device_id, "slow_after_commit")
        if slow is not None:
            self.store.stopping.wait(slow.seconds or 0.0)
        if self._strike_door(device_id, "cut_connection") is not None:
            _cut_connection()
        return answer

    def _strike_door(self, device_id: str, name: str) -> Fault | None:
        with self.store.session(writes=True) as (world, now):
            return strike(world.doors[device_id].faults, name, now)


def _envelope(cloud_now: float, body: dict[str, object]) -> Response:
    return jsonify({**body, "t": int(cloud_now * 1000), "tid": secrets.token_hex(16)})


def _signed_request() -> SignedRequest:
    """A form-encoded body is not signed, as if it were empty; everything else is, byte by byte."""
    body = b"" if request.mimetype == FORM else request.get_data()
    headers = request.headers
    return SignedRequest(
        request.method, request.path, request.query_string.decode(), body, lambda name: headers.get(name, "")
    )


def _json_body() -> dict[str, object]:
    body: Any = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _cut_connection() -> None:
    """Close the caller's socket; what the server then writes goes nowhere."""
    connection = request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionResetError("cut by the fault cut_connection")
    connection.shutdown(socket.SHUT_RDWR)
