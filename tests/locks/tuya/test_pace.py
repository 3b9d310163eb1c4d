"""The pace is one for all processes, whole operations wait, and nobody is stopped for want of a Redis."""

from __future__ import annotations

import fakeredis
import pytest
import redis
import time_machine

from locks.errors import Limited
from locks.tuya import MemoryTokenStore, TuyaProvider
from locks.tuya.client import TuyaClient
from locks.tuya.pace import MemoryPace, Pace, RedisPace
from tests.locks.tuya.fake_cloud import CLIENT_ID, DOOR, LOCK, PIN, SECRET, FakeCloud, ok, refusal, soon


def away() -> redis.Redis:
    raise redis.ConnectionError


@pytest.fixture
def shared(fake_redis: fakeredis.FakeRedis) -> RedisPace:
    return RedisPace(lambda: fake_redis, "project", rate=2, burst=4)


def test_a_burst_and_then_the_rate(shared: RedisPace) -> None:
    with time_machine.travel(1_800_000_000, tick=False) as clock:
        assert [shared.take(1) for _ in range(4)] == [0] * 4
        assert shared.take(1) == pytest.approx(0.5)
        clock.shift(0.5)
        assert shared.take(1) == 0
        clock.shift(3600)
        assert [shared.take(2) for _ in range(2)] == [0, 0]
        assert shared.take(2) > 0, "an hour of quiet gives no more than a burst"


def test_those_that_wait_get_places_one_after_the_other(shared: RedisPace) -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        shared.take(4)
        assert [round(shared.take(2), 2) for _ in range(3)] == [1.0, 2.0, 3.0]


def test_processes_share_it(fake_redis: fakeredis.FakeRedis) -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        paces = [RedisPace(lambda: fake_redis, "project", rate=2, burst=4) for _ in range(8)]
        assert sum(pace.take(1) == 0 for pace in paces) == 4


def test_what_nobody_foresaw_is_drawn_on_top(shared: RedisPace) -> None:
    with time_machine.travel(1_800_000_000, tick=False):
        shared.take(4)
        assert shared.take(2, force=True) == 0
        assert shared.take(1) == pytest.approx(1.5)


@pytest.mark.parametrize("pace", [MemoryPace(2, 4), RedisPace(away, "project", rate=2, burst=4)])
def test_without_redis_each_process_keeps_it_by_itself(pace: Pace) -> None:
    assert [pace.take(2) for _ in range(2)] == [0, 0]
    assert 0 < pace.take(2) <= 1


def test_an_operation_asks_once_for_all_its_calls(cloud: FakeCloud) -> None:
    asked: list[tuple[int, bool]] = []

    class Recorder:
        def take(self, calls: int, *, force: bool = False) -> float:
            asked.append((calls, force))
            return 0.0

    client = TuyaClient("http://tuya", CLIENT_ID, SECRET, MemoryTokenStore(), transport=cloud, pace=Recorder())
    provider = TuyaProvider(client, SECRET)
    cloud.reply("POST", f"{LOCK}/temp-password", refusal(1010), ok({"id": 901}))
    provider.create_pin(DOOR, name="n", pin=PIN, window=soon())
    assert asked == [(2, False), (2, True)]


def test_a_limited_operation_sends_nothing_and_says_when(cloud: FakeCloud) -> None:
    class Full:
        def take(self, calls: int, *, force: bool = False) -> float:
            return 7.5

    client = TuyaClient("http://tuya", CLIENT_ID, SECRET, MemoryTokenStore(), transport=cloud, pace=Full())
    with pytest.raises(Limited) as caught:
        TuyaProvider(client, SECRET).create_pin(DOOR, name="n", pin=PIN, window=soon())
    assert caught.value.after == 7.5
    assert cloud.requests == []
