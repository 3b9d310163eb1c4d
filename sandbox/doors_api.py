"""The calls of scripts and of the page about doors: look, type a PIN, wake, let sleep, switch faults, read messages."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, abort, jsonify, request

from sandbox import faults
from sandbox.delivery import is_awake, is_online, wake
from sandbox.faults import KNOWN, Board
from sandbox.keypad import door_time, is_live, try_pin
from sandbox.state import PIN_LENGTH, Door, LogLine, World
from sandbox.stays_webhooks import WebhookSender
from sandbox.store import Store
from sandbox.tuya_push import PushDesk

Json = dict[str, object]
SHOWN_LOG_LINES = 30
ALARM_CODES = ("alarm_lock", "hijack", "doorbell")


class DoorsApi:
    def __init__(self, store: Store, sender: WebhookSender, push: PushDesk, awake_seconds: float) -> None:
        self.store = store
        self.sender = sender
        self.push = push
        self.awake_seconds = awake_seconds

    def register(self, app: Flask) -> None:
        one = "/sandbox/doors/<device_id>"
        app.add_url_rule("/sandbox/doors", "doors", self.doors)
        app.add_url_rule(one, "door", self.door)
        app.add_url_rule(f"{one}/try", "try", self.try_pin, methods=["POST"])
        app.add_url_rule(f"{one}/wake", "wake", self.wake, methods=["POST"])
        app.add_url_rule(f"{one}/sleep", "sleep", self.sleep, methods=["POST"])
        app.add_url_rule(f"{one}/alarm", "alarm", self.alarm, methods=["POST"])
        app.add_url_rule(f"{one}/battery", "battery", self.battery, methods=["POST"])
        app.add_url_rule(f"{one}/faults", "faults", self.faults, methods=["GET"])
        app.add_url_rule(f"{one}/faults", "set fault", self.set_fault, methods=["POST"])
        app.add_url_rule("/sandbox/messages", "messages", self.messages)
        app.add_url_rule("/sandbox/clock", "clock", self.clock, methods=["POST"])
        app.add_url_rule("/sandbox/reset", "reset", self.reset, methods=["POST"])

    def doors(self) -> Response:
        """`?detail=1` adds what the page draws: the codes with their windows, the log, the faults."""
        with self.store.session() as (world, now):
            show = detailed if request.args.get("detail") else door_json
            return jsonify([show(world, door, now) for door in world.doors.values()])

    def door(self, device_id: str) -> Response:
        with self.store.session() as (world, now):
            return jsonify(detailed(world, _find(world, device_id), now))

    def try_pin(self, device_id: str) -> Response:
        pin = _body().get("pin")
        if not isinstance(pin, str):
            abort(400, 'The body must be {"pin": "<digits as a text>"}.')
        with self.store.session(writes=True) as (world, now):
            door = _find(world, device_id)
            verdict = try_pin(door, pin, now)
            if line := newest_line(door, now):
                self.push.status(device_id, line.code, line.value, line.at)
        return jsonify({"opened": verdict.opened, "reason": verdict.reason, "code": verdict.code})

    def wake(self, device_id: str) -> Response:
        with self.store.session(writes=True) as (world, now):
            door = _find(world, device_id)
            wake(door, now, self.awake_seconds)
            self.push.online(device_id, True, now)
            return jsonify(door_json(world, door, now))

    def sleep(self, device_id: str) -> Response:
        with self.store.session(writes=True) as (world, now):
            door = _find(world, device_id)
            door.awake_until = 0.0
            self.push.online(device_id, False, now)
            return jsonify(door_json(world, door, now))

    def alarm(self, device_id: str) -> Response:
        """`{"code": "alarm_lock", "value": "pry"}`, or a code that is an alarm by itself: hijack, doorbell."""
        body = _body()
        code, value = body.get("code", "alarm_lock"), body.get("value", "true")
        if code not in ALARM_CODES or not isinstance(value, str):
            abort(400, f"code must be one of {', '.join(ALARM_CODES)}, value a text such as pry.")
        with self.store.session(writes=True) as (world, now):
            door = _find(world, device_id)
            door.alarms.append(LogLine(now, code, value, value if code == "alarm_lock" else code))
            self.push.status(device_id, code, value, now)
            return jsonify(detailed(world, door, now))

    def battery(self, device_id: str) -> Response:
        percent = _body().get("percent")
        if not isinstance(percent, int) or isinstance(percent, bool) or not 0 <= percent <= 100:
            abort(400, 'The body must be {"percent": 0 to 100}.')
        with self.store.session(writes=True) as (world, now):
            door = _find(world, device_id)
            door.battery = percent
            self.push.status(device_id, "residual_electricity", percent, now)
            return jsonify(door_json(world, door, now))

    def faults(self, device_id: str) -> Response:
        with self.store.session() as (world, now):
            return jsonify(faults_json(world, _find(world, device_id), now))

    def set_fault(self, device_id: str) -> Response:
        body = _body()
        with self.store.session(writes=True) as (world, now):
            door = _find(world, device_id)
            name = _known_fault(door, body.get("fault"))
            times, seconds = _positive(body, "times"), _positive(body, "seconds")
            if not isinstance(on := body.get("on", True), bool):
                abort(400, "on must be true or false.")
            board = _board(world, door, name)
            board.pop(name, None)
            if on:
                faults.switch_on(board, name, now, int(times) if times else None, seconds)
            return jsonify(faults_json(world, door, now))

    def messages(self) -> Response:
        to = request.args.get("to", "").strip().lower()
        with self.store.session() as (world, _):
            chosen = [message for message in world.messages if not to or message.to.lower() == to]
            return jsonify([vars(message) for message in chosen])

    def clock(self) -> Response:
        """`{"at": <epoch seconds>}` sets the world's clock and stops it there; `{"at": null}` gives it back its own."""
        at = _positive(_body(), "at")
        with self.store.session():
            self.store.stands_at = at
        with self.store.session() as (_, now):  # what is due by then is delivered now
            return jsonify({"now": now, "stands": at is not None})

    def reset(self) -> tuple[str, int]:
        self.store.reset()
        self.sender.forget()
        self.push.forget()
        return "", 204


def newest_line(door: Door, now: float) -> LogLine | None:
    """What the try of this very moment wrote to the lock's log, if anything."""
    lines = [line for line in (*door.opens[-1:], *door.alarms[-1:]) if line.at == now]
    return lines[-1] if lines else None


def door_json(world: World, door: Door, now: float) -> Json:
    return {
        "device_id": door.device_id,
        "name": door.name,
        "radio": door.radio,
        "listing": door.listing,
        "awake": is_awake(door, now),
        "online": is_online(door, now),
        "passwords": sum(is_live(door, slot, now) for slot in door.slots.values()),
        "time_zone": door.time_zone,
        "pin_length": PIN_LENGTH[door.radio],
    }


def detailed(world: World, door: Door, now: float) -> Json:
    lines = sorted([*door.opens, *door.alarms], key=lambda line: line.at, reverse=True)
    return {
        **door_json(world, door, now),
        "awake_until": door.awake_until if is_awake(door, now) else 0,
        "clock": door_time(door, now),
        "battery": door.battery,
        "codes": codes_json(door, now),
        "log": [_log_json(line) for line in lines[:SHOWN_LOG_LINES]],
        "faults": faults_json(world, door, now),
    }


def codes_json(door: Door, now: float) -> list[Json]:
    """Cloud and lock side by side, without a single digit of a PIN."""
    numbers = sorted({*door.records, *door.slots}, reverse=True)
    return [_code_json(door, number, now) for number in numbers]


def _code_json(door: Door, number: int, now: float) -> Json:
    record, slot = door.records.get(number), door.slots.get(number)
    window = {"from": slot.effective_time, "to": slot.invalid_time, "live": is_live(door, slot, now)} if slot else None
    return {
        "id": number,
        "name": record.name if record else "",
        "state": record.state if record else "orphan",
        "phase": door.phase_of(record) if record else None,
        "wanted": {"from": record.effective_time, "to": record.invalid_time} if record else None,
        "on_lock": window,
    }


def faults_json(world: World, door: Door, now: float) -> list[Json]:
    return [
        _fault_json(name, _board(world, door, name), now) for name, kind in KNOWN.items() if door.radio in kind.radios
    ]


def _fault_json(name: str, board: Board, now: float) -> Json:
    fault = faults.is_on(board, name, now)
    return {
        "fault": name,
        "on": fault is not None,
        "times": fault.times if fault else None,
        "seconds": fault.seconds if fault else None,
        "scope": KNOWN[name].scope,
        "about": KNOWN[name].about,
    }


def _log_json(line: LogLine) -> Json:
    return {"at": line.at, "opened": line.code.startswith("unlock"), "code": line.note, "value": line.value}


def _board(world: World, door: Door, name: str) -> Board:
    """A fault of the cloud hits every door, whichever door's switch was used."""
    return world.cloud_faults if KNOWN[name].scope == "cloud" else door.faults


def _find(world: World, device_id: str) -> Door:
    door = world.doors.get(device_id)
    if door is None:
        abort(404, f"There is no door {device_id!r}; there are {', '.join(world.doors)}.")
    return door


def _known_fault(door: Door, name: object) -> str:
    known = [key for key, kind in KNOWN.items() if door.radio in kind.radios]
    if not isinstance(name, str) or name not in known:
        abort(400, f"The fault {name!r} is unknown for a {door.radio} door; there are {', '.join(known)}.")
    return name


def _positive(body: dict[str, Any], name: str) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or (value <= 0 and name == "times"):
        abort(400, f"{name} must be a number above zero.")
    return float(value)


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        abort(400, "The body must be a JSON object.")
    return body
