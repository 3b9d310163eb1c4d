"""One signed call to Tuya Cloud: sends it, cures what can be cured at once, and names what cannot.

    call ──► token ──► sign ──► send ──► answer ──► result
               ▲         ▲                 │
               └─ token codes: new token ──┤   each cure once per call
                         └─ 1013: clock ───┤
                                           └──► DoorError (codes.py)

Both cures are safe for writes, because Tuya refused before it acted. A timeout or a broken connection is different:
nobody knows whether Tuya acted, so a write is never sent again from here. It raises ``UnknownOutcome``, a read
``Transient``.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import structlog

from locks.errors import DoorError, Limited, Transient, UnknownOutcome
from locks.tuya.clock import ServerClock
from locks.tuya.codes import CLOCK_CODE, TOKEN_CODES, error_for
from locks.tuya.meter import Meter, NoMeter
from locks.tuya.pace import Pace, Unhurried
from locks.tuya.signing import sign, url_to_sign
from locks.tuya.tokens import Token, TokenStore

log = structlog.get_logger(__name__)

TIMEOUT = httpx.Timeout(10.0, connect=5.0)
TOKEN_PATH = "/v1.0/token"
# Failures before the first byte left: the one case where even a write is known not to have happened.
NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True)
class Answer:
    """Tuya's envelope. ``code`` is None on success."""

    result: object
    code: int | None
    tid: str
    t: int | None
    msg: str = field(default="", repr=False)


class TuyaClient:
    """Signs and sends for one Tuya project; safe to share between threads. ``calls`` counts requests sent."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str,
        tokens: TokenStore,
        *,
        transport: httpx.BaseTransport | None = None,
        pace: Pace | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT, transport=transport, follow_redirects=False)
        self._client_id = client_id
        self._secret = client_secret
        self._tokens = tokens
        self._pace = pace or Unhurried()
        self._meter = meter or NoMeter()
        self._counting = threading.Lock()
        self.clock = ServerClock()
        self.calls = 0

    def close(self) -> None:
        self._http.close()

    def admit(self, calls: int, *, what: str) -> None:
        """Ask, once for all calls of an operation, whether the pace allows them now. Raises Limited."""
        wait = self._pace.take(calls)
        if wait > 0:
            raise Limited(f"{what} waits its turn: calls to Tuya are made at the pace it allows.", after=wait)

    def read(
        self,
        path: str,
        *,
        what: str,
        query: Mapping[str, str] | None = None,
        method: str = "GET",
        body: Mapping[str, object] | None = None,
        essential: bool = True,
    ) -> object:
        """A call that may be repeated without harm. ``what`` begins the error message: the action and the place."""
        content = _json(body)
        return self._call(
            method, path, what=what, query=query or {}, body=content, write=False, essential=essential
        )  # fmt: skip

    def write(self, method: str, path: str, *, what: str, body: Mapping[str, object] | None = None) -> object:
        """A call that changes a lock. Its failure may be ``UnknownOutcome``."""
        return self._call(method, path, what=what, query={}, body=_json(body), write=True)

    def _call(
        self,
        method: str,
        path: str,
        *,
        what: str,
        query: Mapping[str, str],
        body: bytes,
        write: bool,
        essential: bool = True,
    ) -> object:
        cures = {"token", "clock"}
        while True:
            token = "" if path == TOKEN_PATH else self._tokens.get(self._fetch_token)
            request = self._signed(method, path, query, body, token)
            answer = self._send(request, what=what, write=write)
            if answer.code is None:
                return answer.result
            if answer.code in TOKEN_CODES and token and "token" in cures:
                cures.remove("token")
                self._pace.take(2, force=True)  # a new token, and this call again
                self._tokens.drop(token)
            elif answer.code == CLOCK_CODE and "clock" in cures:
                # The answer itself has just set the clock.
                cures.remove("clock")
                self._pace.take(1, force=True)
            else:
                raise error_for(
                    answer.code, what=what, tid=answer.tid, write=write, msg=answer.msg, essential=essential
                )

    def _fetch_token(self) -> Token:
        what = "Getting an access token"
        result = self._call("GET", TOKEN_PATH, what=what, query={"grant_type": "1"}, body=b"", write=False)
        fields = result if isinstance(result, dict) else {}
        value, seconds_left = fields.get("access_token"), fields.get("expire_time", fields.get("expire"))
        if not isinstance(value, str) or not value or not isinstance(seconds_left, int):
            raise Transient(
                f"{what} failed: Tuya's answer holds no token; it will be tried again.", brand_code="tuya_token"
            )
        return Token(value, seconds_left)

    def _signed(self, method: str, path: str, query: Mapping[str, str], body: bytes, token: str) -> httpx.Request:
        t, nonce = str(self.clock.now_ms()), uuid.uuid4().hex
        signature = sign(
            secret=self._secret,
            client_id=self._client_id,
            access_token=token,
            t=t,
            nonce=nonce,
            method=method,
            url=url_to_sign(path, query),
            body=body,
        )
        headers = {
            "client_id": self._client_id,
            "sign": signature,
            "sign_method": "HMAC-SHA256",
            "t": t,
            "nonce": nonce,
            "lang": "en",
        }
        if token:
            headers["access_token"] = token
        if body:
            headers["Content-Type"] = "application/json"
        # Sorted on the wire as well: Tuya has been seen to refuse the signature otherwise.
        params = dict(sorted(query.items()))
        return self._http.build_request(method, path, params=params or None, content=body or None, headers=headers)

    def _send(self, request: httpx.Request, *, what: str, write: bool) -> Answer:
        with self._counting:
            self.calls += 1
        self._meter.count()
        sent = time.time()
        started = time.perf_counter()
        call_log = log.bind(method=request.method, path=request.url.path)
        try:
            response = self._http.send(request)
        except httpx.RequestError as error:
            kind = type(error).__name__
            call_log.warning("tuya.unreachable", error=kind, duration_ms=_since(started))
            maybe_done = write and not isinstance(error, NOTHING_SENT)
            raise _lost(what, f"no answer from Tuya ({kind})", maybe_done=maybe_done) from error
        answer = _read(response)
        if answer is None:
            call_log.warning("tuya.unreadable", status=response.status_code, duration_ms=_since(started))
            # A 4xx without envelope comes from something in front of Tuya that turned the call away.
            maybe_done = write and not 300 <= response.status_code < 500
            raise _lost(what, f"unreadable answer, HTTP status {response.status_code}", maybe_done=maybe_done)
        call_log.info("tuya.answered", code=answer.code, tid=answer.tid, duration_ms=_since(started))
        if answer.t is not None:
            self.clock.learn(answer.t, sent=sent, received=time.time())
        return answer


def _read(response: httpx.Response) -> Answer | None:
    """The envelope, whatever HTTP status it came with; None if there is none."""
    try:
        body = response.json()
    except ValueError:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("success"), bool):
        return None
    t = body.get("t")
    tid = str(body.get("tid") or "")
    code: int | None = None
    if not body["success"]:
        try:
            code = int(body.get("code", 0))
        except (TypeError, ValueError):
            code = 0
    return Answer(body.get("result"), code, tid, t if isinstance(t, int) else None, str(body.get("msg") or ""))


def _json(body: Mapping[str, object] | None) -> bytes:
    """The very bytes that are signed and sent."""
    return b"" if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def _lost(what: str, why: str, *, maybe_done: bool) -> DoorError:
    error: DoorError = Transient(f"{what} failed: {why}; it will be tried again.")
    if maybe_done:
        error = UnknownOutcome(f"{what} may or may not have happened: {why}; read the lock before writing again.")
    error.of_cloud = True
    return error


def _since(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
