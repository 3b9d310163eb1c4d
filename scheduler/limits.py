"""How many jobs of a queue may start now: a token bucket per queue in Redis, shared by all workers.

A bucket holds ``burst`` tokens at the most and gains ``rate`` a second; each start takes one. Looking, filling and
taking is one script, so workers never share a token. Those that may not start are given places in one line over all
workers, so that a crowd asks about once per job and not again and again. A place is no promise: whoever asks while
there is a token gets it. A limit protects somebody else's service, not correctness:
without Redis everything may start.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import structlog
from redis.exceptions import RedisError

from scheduler import queues, redis

log = structlog.get_logger(__name__)

LONGEST_WAIT = 60  # seconds; the line begins again then, as jobs may be called off and the rate be raised meanwhile

# A clock that runs ahead must not stop the others: a bucket "filled" in their future counts as filled now.
_TAKE = """
local rate, burst, now, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local longest = tonumber(ARGV[5])
local kept = redis.call('hmget', KEYS[1], 'tokens', 'at', 'line')
local tokens, at, line = tonumber(kept[1]) or burst, tonumber(kept[2]) or now, tonumber(kept[3]) or now
if at > now + 10 then at = now end
if now > at then
  tokens = tokens + (now - at) * rate
  at = now
end
tokens = math.min(tokens, burst)
local given = math.max(0, math.min(wanted, math.floor(tokens + 0.001)))
tokens = tokens - given
local place = now
if given < wanted then
  local first = now + math.max(0, (1 - tokens) / rate + at - now)
  place = math.max(first, line)
  if place > now + longest then place = first end
  line = place + (wanted - given) / rate
end
redis.call('hset', KEYS[1], 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', at),
  'line', string.format('%.6f', line))
redis.call('pexpire', KEYS[1], math.ceil(burst / rate * 1000) + 60000)
return {given, string.format('%.6f', place - now)}
"""
_without_redis = False


class Grant(NamedTuple):
    """``starts`` of those that asked may start; the first of the others after ``wait_seconds``, then one ``every``."""

    starts: int
    wait_seconds: float = 0.0
    every: float = 0.0

    def wait(self, nth: int) -> float:
        """How long the nth of those that may not start (0 is the first) should wait before it asks again."""
        return self.wait_seconds + nth * self.every


def take(name: str, n: int, now: datetime) -> int:
    """How many of ``n`` jobs of queue ``name`` may start now; their tokens are taken."""
    return ask(name, n, now).starts


def ask(name: str, n: int, now: datetime) -> Grant:
    """The same with how long the others should wait. One round trip, and none for a queue without a limit."""
    queue = queues.settings(name)
    if queue.rate is None or n <= 0:
        return Grant(max(n, 0))
    try:
        given, wait = redis.client().eval(
            _TAKE, 1, f"limit:{name}", queue.rate, max(queue.burst, 1), f"{now.timestamp():.6f}", n, LONGEST_WAIT
        )
    except RedisError as error:
        _tell(name, type(error).__name__)
        return Grant(n)
    _tell(name, None)
    return Grant(int(given), float(wait), 1 / queue.rate)


def _tell(name: str, reason: str | None) -> None:
    """Once per outage, not once per job."""
    global _without_redis
    if reason is not None and not _without_redis:
        log.warning("limits.without_redis", queue=name, reason=reason)
    _without_redis = reason is not None
