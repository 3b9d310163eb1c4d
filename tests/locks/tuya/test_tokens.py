"""One token for all: renewed once, dropped only by who saw it refused, and Redis may be away."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import fakeredis
import pytest

from locks.errors import Transient
from locks.tuya.tokens import MemoryTokenStore, RedisTokenStore, Token, TokenStore

KEY = "tuya:token:project"


class Tuya:
    """Hands out numbered tokens, slowly if asked to."""

    def __init__(self, delay: float = 0.0, seconds_left: int = 7200) -> None:
        self.given = 0
        self.delay = delay
        self.seconds_left = seconds_left
        self._lock = threading.Lock()

    def __call__(self) -> Token:
        time.sleep(self.delay)
        with self._lock:
            self.given += 1
            return Token(f"token-{self.given}", self.seconds_left)


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


def redis_store(server: fakeredis.FakeServer, **more: float) -> RedisTokenStore:
    return RedisTokenStore(fakeredis.FakeRedis(server=server), "project", **more)


@pytest.fixture(params=["memory", "redis", "redis is away"])
def store(request: pytest.FixtureRequest, server: fakeredis.FakeServer) -> TokenStore:
    server.connected = request.param != "redis is away"
    return MemoryTokenStore() if request.param == "memory" else redis_store(server)


def test_a_token_is_fetched_once_and_then_kept(store: TokenStore) -> None:
    tuya = Tuya()
    assert [store.get(tuya) for _ in range(3)] == ["token-1"] * 3


def test_a_refused_token_is_replaced(store: TokenStore) -> None:
    tuya = Tuya()
    store.drop(store.get(tuya))
    assert store.get(tuya) == "token-2"


def test_a_newer_token_survives_the_drop_of_an_old_one(store: TokenStore) -> None:
    tuya = Tuya()
    old = store.get(tuya)
    store.drop(old)
    store.get(tuya)
    store.drop(old)
    assert store.get(tuya) == "token-2"


def test_a_failed_fetch_passes_through_and_leaves_nothing_behind(store: TokenStore) -> None:
    def fail() -> Token:
        raise Transient("no token today")

    with pytest.raises(Transient):
        store.get(fail)
    assert store.get(Tuya()) == "token-1"


def test_processes_share_one_token(server: fakeredis.FakeServer) -> None:
    tuya = Tuya()
    assert {redis_store(server).get(tuya) for _ in range(4)} == {"token-1"}


def test_many_at_once_renew_once(server: fakeredis.FakeServer) -> None:
    tuya = Tuya(delay=0.1)
    stores = [redis_store(server) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda one: one.get(tuya), stores))
    assert tokens == {"token-1"}
    assert tuya.given == 1


def test_threads_of_one_process_fetch_once() -> None:
    tuya, store = Tuya(delay=0.05), MemoryTokenStore()
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: store.get(tuya), range(8))) == {"token-1"}


def test_who_waits_too_long_helps_himself(server: fakeredis.FakeServer) -> None:
    # A process took the turn and died with it.
    fakeredis.FakeRedis(server=server).set("tuya:token-renewal:project", "someone", ex=20)
    assert redis_store(server, patience_seconds=0.2).get(Tuya()) == "token-1"
    assert redis_store(server).get(Tuya()) == "token-1"


def test_token_leaves_redis_before_tuya_ends_it(server: fakeredis.FakeServer) -> None:
    redis_store(server).get(Tuya(seconds_left=7200))
    assert 7000 < fakeredis.FakeRedis(server=server).ttl(KEY) <= 7140


def test_redis_going_away_midway_costs_no_second_token(server: fakeredis.FakeServer) -> None:
    def fetch() -> Token:
        server.connected = False
        return Token("token-1", 7200)

    store = redis_store(server)
    assert store.get(fetch) == "token-1"
    assert store.get(Tuya()) == "token-1"


def test_memory_forgets_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 1000.0
    monkeypatch.setattr("locks.tuya.tokens.time.monotonic", lambda: clock)
    tuya, store = Tuya(seconds_left=100), MemoryTokenStore()
    assert store.get(tuya) == "token-1"
    clock += 41
    assert store.get(tuya) == "token-2"


def test_repr_of_a_token_hides_it() -> None:
    assert "very-secret" not in repr(Token("very-secret", 1))
