"""The month's calls: counted by all, kept for good, warned of in time; and what waits when the account is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import fakeredis
import pytest
import redis as redis_errors
import time_machine
from django.utils.translation import override

from locks import doors, usage
from locks.breaker import RedisShelf
from locks.errors import AccountBroken
from locks.guarded import GuardedProvider
from locks.models import Credential, Lock, ProviderUsage
from locks.tuya.meter import RedisMeter
from notifications.models import Notice
from scheduler import redis
from scheduler.models import Job
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import time_machine_at
from tests.locks.fake_door import FakeDoors

pytestmark = pytest.mark.django_db
MARCH = datetime(2026, 3, 31, 23, 59, 30, tzinfo=UTC)


def count(times: int, meter: RedisMeter | None = None) -> None:
    meter = meter or doors.tuya_meter()
    for _ in range(times):
        meter.count()


def test_calls_are_counted_by_all_and_folded_into_a_row_per_month() -> None:
    with time_machine.travel(MARCH, tick=False) as clock:
        count(3)
        assert usage.this_month(now=MARCH).calls == 3
        assert usage.fold(now=MARCH) == 3
        count(2)
        clock.shift(timedelta(minutes=1))
        count(4)
        april = MARCH + timedelta(minutes=1)
        assert usage.fold(now=april) == 6
        assert usage.fold(now=april) == 0
    rows = dict(ProviderUsage.objects.values_list("month", "calls"))
    assert rows == {date(2026, 3, 1): 5, date(2026, 4, 1): 4}
    assert (usage.this_month(now=april).calls, usage.all_time(now=april)[0]) == (4, 9)


def test_an_emptied_redis_loses_only_what_was_not_folded(fake_redis: fakeredis.FakeRedis) -> None:
    with time_machine.travel(MARCH, tick=False):
        count(5)
        usage.fold(now=MARCH)
        count(1)
        fake_redis.flushall()
        count(2)
        assert usage.this_month(now=MARCH).calls == 7


def test_without_redis_a_process_counts_and_pays_in_later(
    monkeypatch: pytest.MonkeyPatch, fake_redis: fakeredis.FakeRedis
) -> None:
    def away() -> redis_errors.Redis:
        raise redis_errors.ConnectionError

    with time_machine.travel(MARCH, tick=False):
        meter = doors.tuya_meter()
        monkeypatch.setattr(redis, "client", away)
        count(3, meter)
        assert usage.fold(now=MARCH) == 0
        assert usage.this_month(now=MARCH).calls == 0
        monkeypatch.setattr(redis, "client", lambda: fake_redis)
        count(1, meter)
        assert usage.this_month(now=MARCH).calls == 4


@pytest.mark.parametrize(
    ("calls", "codes"),
    [
        ([79], []),
        ([80], ["account_quota.80"]),
        ([80, 5, 5], ["account_quota.80"]),
        ([80, 15], ["account_quota.80", "account_quota.95"]),
        ([100], ["account_quota.95"]),
    ],
)
def test_the_operator_is_warned_before_the_quota_ends(calls: list[int], codes: list[str], settings: Any) -> None:
    settings.TUYA_MONTHLY_QUOTA = 100
    with time_machine.travel(MARCH, tick=False):
        for number in calls:
            count(number)
            usage.fold(now=MARCH)
        assert usage.this_month(now=MARCH).percent == sum(calls)
    assert sorted(Notice.objects.values_list("code", flat=True)) == codes


def test_without_a_known_quota_nobody_is_warned() -> None:
    with time_machine.travel(MARCH, tick=False):
        count(50)
        usage.fold(now=MARCH)
        assert usage.this_month(now=MARCH).percent is None
    assert not Notice.objects.exists()


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, fake_redis: fakeredis.FakeRedis) -> FakeDoors:
    """Doors whose account is refused, behind the real breaker."""
    street = FakeDoors()
    provider = GuardedProvider(
        street,
        RedisShelf(lambda: fake_redis),
        account="tuya:x",
        on_change=lambda *news: doors._account_changed("tuya", *news),
    )
    monkeypatch.setattr(doors, "provider_for", lambda _: provider)
    return street


def test_many_stays_wait_for_a_refused_account_one_notice_tells_it_and_all_go_on_by_themselves(
    refused: FakeDoors,
) -> None:
    def refuse(_: str) -> None:
        raise AccountBroken("The plan has ended.")

    with time_machine_at(NOW) as clock, override("en"):
        stays = [make_reservation(unit) for unit in (make_accommodation() for _ in range(12)) if make_lock(unit)]
        refused.before = refuse
        clock.until(stays[0].check_in_at - timedelta(minutes=40))
        assert Notice.objects.filter(code="account_paused").count() == Notice.objects.count() == 1
        assert not Job.objects.filter(state=Job.State.FAILED).exists()
        assert len(refused.calls) <= 6, "a probe now and then, no call per stay"
        refused.before = lambda _: None
        clock.until(stays[0].check_in_at)
        assert Credential.objects.filter(state="on_lock").count() == len(stays)
        assert Lock.objects.count() == len(stays)
