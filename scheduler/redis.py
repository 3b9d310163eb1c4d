"""The Redis connection of this process, for short-lived things: guards, shared tokens. Nothing here must be lasting."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from redis import Redis


@lru_cache(maxsize=1)
def client() -> Redis:
    """A client with short time-outs: a Redis that hangs costs a second, not a job."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=1)


def is_up() -> bool:
    try:
        return bool(client().ping())
    except Exception:
        return False
