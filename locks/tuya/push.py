"""What Tuya tells by itself: its message queue (Pulsar behind a WebSocket), one frame at a time.

    connect ──► frame ──► decode ──► handle ──► acknowledge ──► next        cut off: connect again, ever more slowly

A message is acknowledged once it was handled, so one that was not comes again. Push only makes things faster: whatever
is missed here is found by asking. What cannot be read is acknowledged too, or it would come for ever.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from locks.errors import Configuration
from locks.tuya import decoding

log = structlog.get_logger(__name__)
# At DEBUG the library prints the login and every frame: it stays quiet whatever the other loggers are set to.
_wire_log = logging.getLogger("tuya.push.wire")
_wire_log.setLevel(logging.INFO)

CENTRES = {
    "cn": "wss://mqe.tuyacn.com:8285/",
    "us": "wss://mqe.tuyaus.com:8285/",
    "eu": "wss://mqe.tuyaeu.com:8285/",
    "in": "wss://mqe.tuyain.com:8285/",
}
ONLINE = {"online": True, "deviceOnline": True, "offline": False, "deviceOffline": False}
LONGEST_PAUSE_SECONDS = 60.0
# A connection that lasted this long was a good one: the next pause is short again.
GOOD_SECONDS = 60.0
# How often the listener looks up from the socket.
LOOK_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Heard:
    """One message about one device. ``entries`` are shaped like those of Tuya's logs, for ``decoding``."""

    device_id: str
    online: bool | None
    entries: tuple[decoding.Json, ...] = ()


@dataclass(frozen=True)
class Address:
    """Where to listen and as whom."""

    url: str
    client_id: str
    secret: str
    channel: str = "event"

    @property
    def full(self) -> str:
        topic = f"{self.client_id}/out/{self.channel}/{self.client_id}-sub"
        query = "ackTimeoutMillis=3000&subscriptionType=Failover"
        return f"{self.url.rstrip('/')}/ws/v2/consumer/persistent/{topic}?{query}"


def address(url: str, client_id: str, secret: str, channel: str) -> Address:
    """``url`` is an address or a key of ``CENTRES``. Raises Configuration. Without TLS only to this very machine."""
    full = CENTRES.get(url.lower(), url)
    if not re.match(r"wss://[^/]|ws://(127\.0\.0\.1|localhost|\[::1\])[:/]", full):
        known = ", ".join(CENTRES)
        raise Configuration(
            f"TUYA_PUSH_URL is neither a wss:// address nor one of {known}.", brand_code="tuya_push_url"
        )
    if not (client_id and secret):
        raise Configuration("TUYA_CLIENT_ID and TUYA_CLIENT_SECRET are not set.", brand_code="tuya_client_id")
    return Address(full, client_id, secret, channel)


def password(client_id: str, secret: str) -> str:
    return _md5(client_id + _md5(secret))[8:24]


def decode(frame: str | bytes, secret: str) -> tuple[str, Heard | None]:
    """The message's id and what it says; None when it is not about a device's state. Raises ValueError."""
    try:
        outer = json.loads(frame)
        message_id = str(outer["messageId"])
    except (ValueError, KeyError, TypeError):
        raise ValueError("a frame without an id") from None
    try:
        payload = json.loads(base64.b64decode(outer["payload"]))
        data = json.loads(_decrypt(base64.b64decode(payload["data"]), secret[8:24]))
        return message_id, _heard(data)
    except (ValueError, KeyError, TypeError) as error:
        # The library's own words may quote what they were given.
        log.warning("tuya.push_unreadable", message=message_id, error=type(error).__name__)
        return message_id, None


def _heard(data: Any) -> Heard | None:
    """Old messages hold ``devId`` and ``status``, newer ones the same inside ``bizData`` as ``properties``."""
    if not isinstance(data, dict):
        return None
    inner = data.get("bizData")
    body = {**data, **inner} if isinstance(inner, dict) else data
    device_id = body.get("devId")
    if not isinstance(device_id, str):
        return None
    told = decoding.rows(body.get("properties", body.get("status"))) or []
    entries = tuple(
        {"update_time": one.get("t", one.get("time")), "status": {"code": one.get("code"), "value": one.get("value")}}
        for one in told
    )
    return Heard(device_id, ONLINE.get(str(data.get("bizCode"))), entries)


def listen(where: Address, handle: Callable[[Heard], None], idle: Callable[[], None], stop: threading.Event) -> None:
    """Until ``stop``. ``handle`` may raise: then the message comes again. ``idle`` is called about twice a second."""
    pause = 1.0
    while not stop.is_set():
        began = time.monotonic()
        try:
            _hear_out(where, handle, idle, stop)
        except (OSError, WebSocketException, InvalidURI, InvalidHandshake) as error:
            log.warning("tuya.push_cut_off", error=type(error).__name__, again_in=round(pause))
        except Exception as error:
            log.error("tuya.push_not_handled", error=type(error).__name__, again_in=round(pause))
        if time.monotonic() - began >= GOOD_SECONDS:
            pause = 1.0
        _rest(pause * random.uniform(0.5, 1.0), idle, stop)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _hear_out(where: Address, handle: Callable[[Heard], None], idle: Callable[[], None], stop: threading.Event) -> None:
    login = {"username": where.client_id, "password": password(where.client_id, where.secret)}
    with connect(
        where.full, additional_headers=login, open_timeout=10, close_timeout=2, logger=_wire_log
    ) as connection:
        log.info("tuya.push_connected")
        while not stop.is_set():
            idle()
            try:
                frame = connection.recv(timeout=LOOK_UP_SECONDS)
            except TimeoutError:
                continue
            _one(connection, frame, where.secret, handle)


def _one(connection: ClientConnection, frame: str | bytes, secret: str, handle: Callable[[Heard], None]) -> None:
    try:
        message_id, heard = decode(frame, secret)
    except ValueError:
        log.warning("tuya.push_without_id")
        return
    if heard is not None:
        handle(heard)
    connection.send(json.dumps({"messageId": message_id}))


def _rest(seconds: float, idle: Callable[[], None], stop: threading.Event) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop.wait(min(LOOK_UP_SECONDS, max(0.0, until - time.monotonic()))):
        idle()


def _decrypt(data: bytes, key: str) -> bytes:
    decryptor = Cipher(algorithms.AES(key.encode()), modes.ECB()).decryptor()  # noqa: S305  Tuya's choice
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
