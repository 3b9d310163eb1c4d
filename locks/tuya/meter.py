"""Counts the calls to a Tuya project month by month (UTC), for the plan's quota.

Counted in Redis at every call, by all processes; ``locks.usage`` folds the counts into a table every minute, so an
emptied Redis costs a minute's calls at the most. While Redis is away a process counts by itself and adds it later.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import redis

KEPT_SECONDS = 70 * 24 * 3600


class Meter(Protocol):
    def count(self) -> None:
        """One more call was sent."""
        ...


class NoMeter:
    def count(self) -> None:
        pass


class RedisMeter:
    """``take`` hands the counts over, to whoever keeps them for good."""

    def __init__(self, connection: Callable[[], redis.Redis], client_id: str) -> None:
        self._connection = connection
        self._prefix = f"tuya:calls:{client_id}:"
        self._owed: Counter[date] = Counter()
        self._lock = threading.Lock()

    def count(self) -> None:
        with self._lock:
            self._owed[month_of(datetime.fromtimestamp(time.time(), UTC))] += 1
            owed, self._owed = self._owed, Counter()
        for month, calls in owed.items():
            try:
                self._add(month, calls)
            except redis.RedisError:
                with self._lock:
                    self._owed[month] += calls

    def pending(self, month: date) -> int:
        """What was counted and is in no table yet. Raises RedisError."""
        return int(self._connection().get(self._key(month)) or 0)

    def take(self, now: datetime) -> Iterator[tuple[date, int]]:
        """This and last month's counts, each taken out once the caller comes back for more. Raises RedisError."""
        this = month_of(now)
        for month in (month_of(datetime(this.year, this.month, 1, tzinfo=UTC) - timedelta(days=1)), this):
            if calls := self.pending(month):
                yield month, calls
                self._connection().decrby(self._key(month), calls)

    def _add(self, month: date, calls: int) -> None:
        with self._connection().pipeline() as pipe:
            pipe.incrby(self._key(month), calls)
            pipe.expire(self._key(month), KEPT_SECONDS)
            pipe.execute()

    def _key(self, month: date) -> str:
        return f"{self._prefix}{month.isoformat()}"


def month_of(moment: datetime) -> date:
    """Its first day."""
    return moment.astimezone(UTC).date().replace(day=1)
