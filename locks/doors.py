"""Which provider speaks to a lock. The only place that knows the brands."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from locks.errors import Configuration
from locks.provider import LockProvider
from locks.tuya.provider import provider_from
from locks.tuya.tokens import RedisTokenStore
from scheduler import redis


def provider_for(provider: str) -> LockProvider:
    """The configured provider of that name. Raises Configuration when its login is missing."""
    if provider != "tuya":
        raise Configuration(f"No provider is called {provider!r}.")
    if not (settings.TUYA_CLIENT_ID and settings.TUYA_CLIENT_SECRET):
        raise Configuration("TUYA_CLIENT_ID and TUYA_CLIENT_SECRET are not set: no lock can be reached.")
    return _tuya(settings.TUYA_BASE_URL, settings.TUYA_CLIENT_ID, settings.TUYA_CLIENT_SECRET)


@lru_cache(maxsize=4)
def _tuya(base_url: str, client_id: str, client_secret: str) -> LockProvider:
    store = RedisTokenStore(redis.client(), client_id)
    return provider_from(base_url, client_id, client_secret, store)
