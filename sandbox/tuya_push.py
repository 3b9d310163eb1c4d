"""The pretend message push: Tuya's queue over a WebSocket. Messages stay until they are acknowledged."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
from http import HTTPStatus

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from sandbox import tuya_crypto

MOST_KEPT = 1000
LOOK_UP_SECONDS = 0.05


class PushDesk:
    """What the cloud has to tell. One consumer at a time, as with a Failover subscription."""

    def __init__(self, client_id: str, secret: str) -> None:
        self.client_id = client_id
        self._secret = secret
        self._waiting: dict[str, str] = {}
        self._lock = threading.Lock()
        self.listeners = 0

    def status(self, device_id: str, code: str, value: object, at: float) -> None:
        """Protocol 4: a data point changed."""
        entry = {"code": code, "value": value, "t": int(at * 1000)}
        self._tell(4, {"devId": device_id, "productKey": "sandbox", "status": [entry]}, at)

    def online(self, device_id: str, online: bool, at: float) -> None:
        """Protocol 1001, as newer projects get it."""
        code = "deviceOnline" if online else "deviceOffline"
        self._tell(1001, {"bizCode": code, "bizData": {"devId": device_id, "time": int(at * 1000)}}, at)

    def waiting(self) -> int:
        with self._lock:
            return len(self._waiting)

    def forget(self) -> None:
        with self._lock:
            self._waiting.clear()

    def _tell(self, protocol: int, data: dict[str, object], at: float) -> None:
        key = self._secret[8:24].encode()
        cipher = base64.b64encode(tuya_crypto.encrypt(json.dumps(data).encode(), key)).decode()
        payload = {"protocol": protocol, "pv": "2.0", "t": int(at * 1000), "data": cipher, "sign": ""}
        number = secrets.token_hex(8)
        frame = {"messageId": number, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}
        with self._lock:
            self._waiting[number] = json.dumps(frame)
            for oldest in list(self._waiting)[:-MOST_KEPT]:
                del self._waiting[oldest]

    # -- the endpoint -------------------------------------------------------------------------------------------

    def server(self, listening: socket.socket) -> Server:
        return serve(self._talk, sock=listening, process_request=self._let_in)

    def _let_in(self, connection: ServerConnection, request: Request) -> Response | None:
        path = f"/ws/v2/consumer/persistent/{self.client_id}/out/event"
        if not request.path.startswith(path):
            return connection.respond(HTTPStatus.NOT_FOUND, "no such topic\n")
        user, password = request.headers.get("username", ""), request.headers.get("password", "")
        if user != self.client_id or not hmac.compare_digest(password.encode(), self._password().encode()):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "wrong username or password\n")
        return None

    def _password(self) -> str:
        return _md5(self.client_id + _md5(self._secret))[8:24]

    def _talk(self, connection: ServerConnection) -> None:
        self.listeners += 1
        sent: set[str] = set()
        try:
            while True:
                with self._lock:
                    fresh = [(number, frame) for number, frame in self._waiting.items() if number not in sent]
                for number, frame in fresh:
                    connection.send(frame)
                    sent.add(number)
                self._hear_acknowledgement(connection)
        except ConnectionClosed:
            pass
        finally:
            self.listeners -= 1

    def _hear_acknowledgement(self, connection: ServerConnection) -> None:
        try:
            answer = json.loads(connection.recv(timeout=LOOK_UP_SECONDS))
        except (TimeoutError, ValueError):
            return
        if isinstance(answer, dict):
            with self._lock:
                self._waiting.pop(str(answer.get("messageId")), None)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
