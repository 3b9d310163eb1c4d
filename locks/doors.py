"""Which provider speaks to a lock, and how its account stands. The only place that knows the brands."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from locks.breaker import CLOSED, RedisShelf, State
from locks.errors import Configuration
from locks.guarded import GuardedProvider
from locks.models import Lock
from locks.provider import LockProvider
from locks.signals import account_changed
from locks.tuya import RedisMeter, RedisPace, RedisTokenStore, provider_from
from scheduler import redis
from smartlock.audit.services import record

PROVIDERS = ("tuya",)


def provider_for(provider: str) -> LockProvider:
    """The configured provider of that name. Raises Configuration when its login is missing."""
    return _guarded(provider)


def account_state(provider: str = "tuya") -> State:
    """The breaker of the whole account; ``reason`` says why it is open. Closed when no login is set."""
    try:
        return _guarded(provider).account_state()
    except Configuration:
        return CLOSED


def lock_state(lock: Lock) -> State:
    """The breaker of one lock."""
    try:
        return _guarded(lock.provider).lock_state(lock.device)
    except Configuration:
        return CLOSED


def try_again(provider: str = "tuya", lock: Lock | None = None) -> None:
    """Close the account's breaker, or that of one lock: an operator has mended it, or the lock was just heard of."""
    _guarded(lock.provider if lock else provider).try_again(lock.device if lock else None)


def tuya_meter() -> RedisMeter:
    """Counts the calls of the configured Tuya project."""
    return RedisMeter(lambda: redis.client(), settings.TUYA_CLIENT_ID)


def _guarded(provider: str) -> GuardedProvider:
    if provider not in PROVIDERS:
        raise Configuration(f"No provider is called {provider!r}.")
    if not (settings.TUYA_CLIENT_ID and settings.TUYA_CLIENT_SECRET):
        raise Configuration("TUYA_CLIENT_ID and TUYA_CLIENT_SECRET are not set: no lock can be reached.")
    return _tuya(
        settings.TUYA_BASE_URL, settings.TUYA_CLIENT_ID, settings.TUYA_CLIENT_SECRET, settings.TUYA_CALLS_PER_SECOND
    )


@lru_cache(maxsize=4)
def _tuya(base_url: str, client_id: str, client_secret: str, rate: int) -> GuardedProvider:
    connection = lambda: redis.client()  # noqa: E731  looked up at each call
    pace = RedisPace(connection, client_id, rate=rate, burst=max(4, 2 * rate)) if rate else None
    store = RedisTokenStore(redis.client(), client_id)
    tuya = provider_from(
        base_url, client_id, client_secret, store, pace=pace, meter=RedisMeter(connection, client_id)
    )  # fmt: skip
    return GuardedProvider(
        tuya,
        RedisShelf(connection),
        account=f"tuya:{client_id}",
        on_change=lambda *news: _account_changed("tuya", *news),
    )


def _account_changed(provider: str, is_open: bool, reason: str) -> None:
    """Told once for all stays that wait for it. Robust: the caller is in the middle of a job at a door."""
    record(f"account.{'paused' if is_open else 'back'}", f"account:{provider}", summary=reason)
    account_changed.send_robust(Lock, provider=provider, is_open=is_open, reason=reason)
