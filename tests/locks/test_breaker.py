"""Breakers: when they open, who probes, how they close; for one lock, for the account, and shared by all processes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import fakeredis
import pytest
import redis as redis_errors

from locks import breaker
from locks.breaker import CLOSED, MemoryShelf, Policy, RedisShelf, Shelf, State
from locks.errors import (
    AccountBroken,
    AccountPaused,
    Capacity,
    Configuration,
    DoorError,
    Limited,
    Paused,
    Transient,
    UnknownOutcome,
    WaitForDevice,
)
from locks.guarded import ACCOUNT, CLOUD, LOCK, GuardedProvider
from locks.provider import Device, Window
from tests.locks.fake_door import FakeDoors

POLICY = Policy(threshold=3, within=60, pauses=(30, 60))
DOOR, OTHER = Device("door1", "zigbee"), Device("door2", "wifi")
NOW = 1_800_000_000.0


def after_failures(*moments: float) -> State:
    state = CLOSED
    for at in moments:
        state = breaker.failed(state, POLICY, now=at, reason="no answer", probe=False)
    return state


@pytest.mark.parametrize(
    ("moments", "is_open"),
    [((0, 1), False), ((0, 1, 2), True), ((0, 60, 120), True), ((0, 1, 62), False), ((0, 100, 200, 300), False)],
)
def test_it_opens_after_failures_that_follow_one_another(moments: tuple[float, ...], is_open: bool) -> None:
    assert after_failures(*(NOW + at for at in moments)).is_open is is_open


def test_a_success_in_between_starts_the_count_afresh() -> None:
    assert breaker.succeeded(after_failures(NOW, NOW + 1), probe=False) == CLOSED


def test_the_account_opens_at_the_first_refusal() -> None:
    assert breaker.failed(CLOSED, ACCOUNT, now=NOW, reason="plan", probe=False, at_once=True).is_open


def test_one_probes_and_the_others_stay_away() -> None:
    state = after_failures(NOW, NOW, NOW)
    assert state.wait(NOW) == 30
    assert breaker.probing(state, NOW + 29) == state
    probed = breaker.probing(state, NOW + 30)
    assert probed != state
    assert 0 < probed.wait(NOW + 30) <= breaker.PROBED_SECONDS
    assert breaker.probing(probed, NOW + 31) == probed
    assert breaker.probing(probed, NOW + 30 + breaker.PROBE_SECONDS).until > probed.until, "its worker died"


def test_each_failed_probe_makes_the_pause_longer_and_a_good_one_closes() -> None:
    state = after_failures(NOW, NOW, NOW)
    for pause in (60, 60):
        state = breaker.failed(breaker.probing(state, state.until), POLICY, now=NOW, reason="still", probe=True)
        assert (state.is_open, state.wait(NOW)) == (True, pause)
    assert breaker.succeeded(state, probe=True) == CLOSED


def test_calls_that_were_under_way_neither_close_it_nor_lengthen_it() -> None:
    state = after_failures(NOW, NOW, NOW)
    assert breaker.succeeded(state, probe=False) == state
    assert breaker.failed(state, POLICY, now=NOW + 1, reason="late", probe=False) == state


# -- the shelves -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "redis", "redis is away"])
def shelf(request: pytest.FixtureRequest, fake_redis: fakeredis.FakeRedis) -> Shelf:
    if request.param == "memory":
        return MemoryShelf()
    if request.param == "redis is away":

        def away() -> redis_errors.Redis:
            raise redis_errors.ConnectionError

        return RedisShelf(away)
    return RedisShelf(lambda: fake_redis)


def test_a_shelf_keeps_states_apart_and_forgets_what_is_closed(shelf: Shelf) -> None:
    shelf.change("a", lambda _: after_failures(NOW, NOW, NOW))
    assert [state.is_open for state in shelf.read("a", "b")] == [True, False]
    shelf.change("a", lambda _: CLOSED)
    assert shelf.read("a") == [CLOSED]


def test_only_one_of_many_takes_the_probe(shelf: Shelf) -> None:
    shelf.change("a", lambda _: after_failures(NOW, NOW, NOW))

    def take(_: int) -> bool:
        before, after = shelf.change("a", lambda state: breaker.probing(state, NOW + 30))
        return before != after

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(16))) == 1


def test_failures_of_many_processes_add_up(fake_redis: fakeredis.FakeRedis) -> None:
    for _ in range(3):
        of_another_process = RedisShelf(lambda: fake_redis)
        of_another_process.change(
            "a", lambda state: breaker.failed(state, POLICY, now=NOW, reason="no", probe=False)
        )  # fmt: skip
    assert RedisShelf(lambda: fake_redis).read("a")[0].is_open


def test_what_another_release_left_behind_counts_as_closed(fake_redis: fakeredis.FakeRedis) -> None:
    fake_redis.set("breaker:a", '{"other": 1}')
    fake_redis.set("breaker:b", "no json")
    assert RedisShelf(lambda: fake_redis).read("a", "b") == [CLOSED, CLOSED]


# -- around a provider -----------------------------------------------------------------------------------------------


class World:
    def __init__(self, shelf: Shelf) -> None:
        self.now = NOW
        self.street = FakeDoors(before=self._meet)
        self.error: DoorError | None = None
        self.news: list[tuple[bool, str]] = []
        self.provider = GuardedProvider(
            self.street,
            shelf,
            account="a",
            on_change=lambda is_open, reason: self.news.append((is_open, reason)),
            clock=lambda: self.now,
        )

    def _meet(self, _: str) -> None:
        if self.error:
            raise self.error

    def fails(self, error: type[DoorError], device: Device = DOOR) -> DoorError:
        with pytest.raises(error) as caught:
            self.provider.list_pins(device)
        return caught.value

    @property
    def calls(self) -> int:
        return len(self.street.calls)


@pytest.fixture
def world(shelf: Shelf) -> World:
    return World(shelf)


def cloud_down() -> Transient:
    error = Transient("HTTP status 502")
    error.of_cloud = True
    return error


def test_a_refused_account_pauses_every_lock_and_tells_once(world: World) -> None:
    world.error = AccountBroken("The plan has ended.")
    first = world.fails(AccountPaused)
    assert isinstance(first.__cause__, AccountBroken)
    assert first.after == ACCOUNT.pauses[0]
    for device in (DOOR, OTHER, DOOR):
        assert "The plan has ended." in str(world.fails(AccountPaused, device))
    assert world.calls == 1
    assert world.news == [(True, "The plan has ended.")]


def test_the_account_comes_back_by_itself(world: World) -> None:
    world.error = AccountBroken("The plan has ended.")
    world.fails(AccountPaused)
    world.now += ACCOUNT.pauses[0]
    assert world.fails(AccountPaused).after == ACCOUNT.pauses[1]
    assert world.calls == 2
    world.error = None
    world.now += ACCOUNT.pauses[1]
    assert world.provider.list_pins(OTHER) == []
    assert world.provider.account_state() == CLOSED
    assert [is_open for is_open, _ in world.news] == [True, False]


def test_an_operator_who_mended_it_need_not_wait(world: World) -> None:
    world.error = AccountBroken("The plan has ended.")
    world.fails(AccountPaused)
    world.error = None
    world.provider.try_again()
    assert world.provider.list_pins(DOOR) == []


@pytest.mark.parametrize("error", [WaitForDevice("offline"), cloud_down()])
def test_a_lock_that_stays_silent_is_left_alone_for_a_while(world: World, error: DoorError) -> None:
    world.error = error
    for _ in range(LOCK.threshold):
        world.fails(type(error))
    paused = world.fails(Paused)
    assert not isinstance(paused, AccountPaused)
    assert world.calls == LOCK.threshold
    world.error = None
    assert world.provider.list_pins(OTHER) == [], "other locks go on"
    world.now += LOCK.pauses[0]
    assert world.provider.list_pins(DOOR) == []
    assert world.provider.lock_state(DOOR) == CLOSED
    assert world.news == []


def test_a_lock_heard_of_is_asked_at_once(world: World) -> None:
    world.error = WaitForDevice("offline")
    for _ in range(LOCK.threshold):
        world.fails(WaitForDevice)
    world.error = None
    world.provider.try_again(DOOR)
    assert world.provider.list_pins(DOOR) == []


def test_a_cloud_that_fails_for_every_lock_pauses_the_account(world: World) -> None:
    world.error = cloud_down()
    for number in range(CLOUD.threshold):
        world.fails(Transient, Device(f"d{number}", "ble"))
    assert world.fails(AccountPaused).after == CLOUD.pauses[0]
    assert world.calls == CLOUD.threshold


def test_one_bad_lock_never_pauses_the_account(world: World) -> None:
    for _ in range(3 * CLOUD.threshold):
        world.error = cloud_down()
        with pytest.raises(DoorError):
            world.provider.list_pins(DOOR)
        world.error = None
        world.provider.list_pins(OTHER)
        world.now += 10
    assert not world.provider.account_state().is_open


@pytest.mark.parametrize(
    "error", [Capacity("full"), Configuration("not linked"), UnknownOutcome("lost"), Transient("busy")]
)
def test_what_says_nothing_against_the_lock_opens_nothing(world: World, error: DoorError) -> None:
    world.error = error
    for _ in range(20):
        world.fails(type(error))
    assert world.calls == 20


def test_a_call_our_own_limit_stopped_gives_the_probe_back(world: World) -> None:
    world.error = AccountBroken("The plan has ended.")
    world.fails(AccountPaused)
    world.now += ACCOUNT.pauses[0]
    world.error = Limited("later", after=1)
    world.fails(Limited)
    world.error = None
    assert world.provider.list_pins(DOOR) == []


def test_every_operation_is_guarded(world: World) -> None:
    world.error = AccountBroken("The plan has ended.")
    world.fails(AccountPaused)
    provider, at = world.provider, datetime.now(UTC)
    window = Window(at, at + timedelta(days=1))
    calls: list[Callable[[], object]] = [
        lambda: provider.create_pin(DOOR, name="n", pin="123456", window=window),
        lambda: provider.change_pin(DOOR, "1", name="n", pin="123456", window=window),
        lambda: provider.create_offline_code(DOOR, name="n", window=window),
        lambda: provider.read_pin(DOOR, "1"),
        lambda: provider.delete_pin(DOOR, "1"),
        lambda: provider.read_device(DOOR),
        lambda: provider.openings(DOOR, at, at),
        lambda: provider.alarms(DOOR, at, at),
    ]
    for call in calls:
        with pytest.raises(AccountPaused):
            call()
    assert world.calls == 1


def test_pauses_never_outlast_a_jobs_own_patience() -> None:
    assert max(LOCK.pauses) <= 60
