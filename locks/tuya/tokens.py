"""One access token per Tuya project, shared by every process.

A token lasts two hours, and asking for a new one may kill the old. Processes that each fetch their own would throw one
another out, so they share it through Redis and one of them at a time renews it. Redis is a convenience here: when it is
away, each process carries on with a token of its own.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import redis
import structlog

log = structlog.get_logger(__name__)

# A token is renewed this long before it ends, so that it cannot end between check and use.
MARGIN_SECONDS = 60
RENEWAL_SECONDS = 20
POLL_SECONDS = 0.05

# Only the holder of this very value may remove it: a token another process renewed, or a lock that passed on, stays.
DELETE_IF_EQUAL = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


@dataclass(frozen=True)
class Token:
    """A fresh access token as Tuya hands it out."""

    value: str = field(repr=False)
    seconds_left: int

    @property
    def usable_seconds(self) -> int:
        return max(1, self.seconds_left - MARGIN_SECONDS)


Fetch = Callable[[], Token]


class TokenStore(Protocol):
    def get(self, fetch: Fetch) -> str:
        """The current token. ``fetch`` is called only if there is none; what it raises passes through."""
        ...

    def drop(self, token: str) -> None:
        """Tuya refused this token: forget it, unless someone has put a newer one in its place already."""
        ...


class MemoryTokenStore:
    """A token for this process alone, shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value = ""
        self._ends_at = 0.0

    def get(self, fetch: Fetch) -> str:
        with self._lock:
            if not self._value or time.monotonic() >= self._ends_at:
                token = fetch()
                self._value, self._ends_at = token.value, time.monotonic() + token.usable_seconds
            return self._value

    def drop(self, token: str) -> None:
        with self._lock:
            if self._value == token:
                self._value = ""


class RedisTokenStore:
    """A token for all processes. ``connection`` should have short socket timeouts: calls to the lock wait for it."""

    def __init__(self, connection: redis.Redis, client_id: str, *, patience_seconds: float = 5.0) -> None:
        self._redis = connection
        self._key = f"tuya:token:{client_id}"
        self._renewal_key = f"tuya:token-renewal:{client_id}"
        self._patience = patience_seconds
        self._own = MemoryTokenStore()

    def get(self, fetch: Fetch) -> str:
        try:
            return self._stored() or self._renew_or_wait(fetch)
        except redis.RedisError as error:
            log.warning("tuya.token_store_unreachable", error=type(error).__name__)
            return self._own.get(fetch)

    def drop(self, token: str) -> None:
        self._own.drop(token)
        self._delete_if_equal(self._key, token)

    def _renew_or_wait(self, fetch: Fetch) -> str:
        """One process renews; the others wait for its result, or help themselves when it takes too long."""
        give_up_at = time.monotonic() + self._patience
        while time.monotonic() < give_up_at:
            ours = uuid.uuid4().hex
            if self._redis.set(self._renewal_key, ours, nx=True, ex=RENEWAL_SECONDS):
                try:
                    # Someone may have finished renewing between our look and our turn.
                    return self._stored() or self._keep(fetch())
                finally:
                    self._delete_if_equal(self._renewal_key, ours)
            time.sleep(POLL_SECONDS)
            if stored := self._stored():
                return stored
        return self._keep(fetch())

    def _keep(self, token: Token) -> str:
        try:
            self._redis.set(self._key, token.value, ex=token.usable_seconds)
        except redis.RedisError:
            # Fetching another would waste this one; the process keeps it to itself.
            return self._own.get(lambda: token)
        return token.value

    def _stored(self) -> str:
        value = self._redis.get(self._key)
        return value.decode() if isinstance(value, bytes) else str(value or "")

    def _delete_if_equal(self, key: str, value: str) -> None:
        try:
            self._redis.eval(DELETE_IF_EQUAL, 1, key, value)
        except redis.RedisError as error:
            # Both keys end by themselves.
            log.warning("tuya.token_store_unreachable", error=type(error).__name__)
