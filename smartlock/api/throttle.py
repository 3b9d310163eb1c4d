"""How often a token may ask: so many requests a minute, counted in Redis over all web processes.

It protects the database from a script that runs wild, not from an attacker; without Redis nobody is held up.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from scheduler import clock, redis
from smartlock.api.models import ApiToken
from smartlock.api.problems import Problem

log = structlog.get_logger(__name__)
MINUTE = 60


def take(token: ApiToken) -> dict[str, str]:
    """Count one request. Returns the headers that tell what is left; raises Problem (429) when nothing is."""
    limit: int = settings.API_REQUESTS_PER_MINUTE
    if not limit:
        return {}
    second = int(clock.now().timestamp())
    left_of_minute = MINUTE - second % MINUTE
    try:
        used = _count(f"api:{token.pk}:{second // MINUTE}")
    except RedisError as error:
        log.warning("api.without_redis", reason=type(error).__name__)
        return {}
    headers = {
        "RateLimit-Limit": str(limit), "RateLimit-Remaining": str(max(0, limit - used)),
        "RateLimit-Reset": str(left_of_minute),
    }  # fmt: skip
    if used > limit:
        raise Problem(
            429, f"This token has asked more than {limit} times within a minute.",
            headers={**headers, "Retry-After": str(left_of_minute)},
        )  # fmt: skip
    return headers


def _count(key: str) -> int:
    with redis.client().pipeline(transaction=False) as pipe:
        pipe.incr(key)
        pipe.expire(key, 2 * MINUTE)
        return int(pipe.execute()[0])
