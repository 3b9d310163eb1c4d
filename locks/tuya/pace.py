"""How fast calls may follow one another: a token bucket per Tuya project, shared by all processes.

An operation asks once for all the calls it is made of, so none is stopped half-way: a PIN's ticket is never fetched in
vain. Whoever may not start gets a place in the line and comes back then; nobody waits here. What nobody foresaw (a new
token, a second ticket) is drawn on top and makes the next one wait longer. Without Redis each process keeps the pace
by itself: somewhat faster in all, but never a flood.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import redis
import structlog

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 60.0  # the line begins again then: jobs may have been called off meanwhile

# Asking with `force` takes the tokens in any case: the bucket may be overdrawn.
_TAKE = """
local rate, burst, now, calls = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local force, longest = ARGV[5] == '1', tonumber(ARGV[6])
local kept = redis.call('hmget', KEYS[1], 'tokens', 'at', 'line')
local tokens, at, line = tonumber(kept[1]) or burst, tonumber(kept[2]) or now, tonumber(kept[3]) or now
if at > now + 10 then at = now end
if now > at then
  tokens = math.min(burst, tokens + (now - at) * rate)
  at = now
end
local wait = 0
if force or tokens + 0.001 >= math.min(calls, burst) then
  tokens = tokens - calls
else
  local first = now + (math.min(calls, burst) - tokens) / rate
  local place = math.max(first, line)
  if place > now + longest then place = first end
  line = place + calls / rate
  wait = place - now
end
redis.call('hset', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', at),
  'line', string.format('%.6f', line))
redis.call('pexpire', KEYS[1], math.ceil(burst / rate * 1000) + 120000)
return string.format('%.6f', wait)
"""


class Pace(Protocol):
    def take(self, calls: int, *, force: bool = False) -> float:
        """0 when so many calls may be made now; otherwise nothing is taken, and how many seconds to stay away."""
        ...


class Unhurried:
    """No limit at all."""

    def take(self, calls: int, *, force: bool = False) -> float:
        return 0.0


class MemoryPace:
    """The calls of this process alone."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, time.monotonic()
        self._lock = threading.Lock()

    def take(self, calls: int, *, force: bool = False) -> float:
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            lacking = min(calls, self._burst) - self._tokens
            if lacking > 0 and not force:
                return lacking / self._rate
            self._tokens -= calls
            return 0.0


class RedisPace:
    """The calls of all processes of one project."""

    def __init__(self, connection: Callable[[], redis.Redis], client_id: str, *, rate: float, burst: float) -> None:
        self._connection = connection
        self._key = f"tuya:pace:{client_id}"
        self._rate, self._burst = rate, burst
        self._own = MemoryPace(rate, burst)
        self._is_alone = False

    def take(self, calls: int, *, force: bool = False) -> float:
        figures = (self._rate, self._burst, f"{time.time():.6f}", calls, int(force), LONGEST_SECONDS)
        try:
            wait = self._connection().eval(_TAKE, 1, self._key, *figures)
        except redis.RedisError as error:
            self._tell(type(error).__name__)
            return self._own.take(calls, force=force)
        self._tell("")
        return float(wait)

    def _tell(self, reason: str) -> None:
        """Once per outage, not once per call."""
        if reason and not self._is_alone:
            log.warning("tuya.pace_without_redis", reason=reason)
        self._is_alone = bool(reason)
