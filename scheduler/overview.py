"""Many jobs at a glance, at a cost that many jobs do not raise: how many of a state, due when, started how late."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models.functions import TruncDay, TruncHour

from scheduler.models import Job, JobAttempt
from scheduler.totals import ABOVE_MS, BOUNDS_MS

COUNTED = 10_000
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def states() -> dict[str, int]:
    """How many jobs there are of each state; ``COUNTED`` + 1 stands for more than ``COUNTED``."""
    return {
        state: Job.objects.filter(state=state).order_by().values("pk")[: COUNTED + 1].count()
        for state in Job.State.values
    }


def hours(now: datetime, zone: ZoneInfo, count: int = 24) -> list[datetime]:
    """The starts of so many hours from the one of ``now`` on, on the clock of ``zone``."""
    first = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    return [(first.astimezone(now.tzinfo) + HOUR * number).astimezone(zone) for number in range(count)]


def days(now: datetime, zone: ZoneInfo, count: int = 30) -> list[datetime]:
    """The same with midnights; a day may have 23 or 25 hours."""
    first = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return [first + DAY * number for number in range(count)]


def due_by_hour(slots: list[datetime], zone: ZoneInfo) -> list[int]:
    """How many scheduled jobs are due in each of these hours; what is overdue counts in the first one."""
    return _due(slots, slots[-1] + HOUR, TruncHour("run_at", tzinfo=zone))


def due_by_day(slots: list[datetime], zone: ZoneInfo) -> list[int]:
    return _due(slots, slots[-1] + DAY, TruncDay("run_at", tzinfo=zone))


def _due(slots: list[datetime], end: datetime, slot: models.Func) -> list[int]:
    waiting = Job.objects.filter(state=Job.State.SCHEDULED, run_at__lt=end).order_by()
    counts = dict.fromkeys(slots, 0)
    for at, count in waiting.annotate(slot=slot).values_list("slot").annotate(count=models.Count("pk")):
        counts[max(at, slots[0])] = counts.get(max(at, slots[0]), 0) + count
    return [counts[at] for at in slots]


@dataclass(frozen=True)
class Lateness:
    """Of the tries that were begun in one hour. The percentiles are upper bounds of the buckets they fall into."""

    tries: int = 0
    p50_ms: int = 0
    p99_ms: int = 0


def lateness_by_hour(slots: list[datetime], zone: ZoneInfo) -> list[Lateness]:
    """How late the tries of these hours began: counted into buckets by the database, one row per hour and bucket."""
    bucket = models.Case(
        *(models.When(lateness_ms__lte=bound, then=models.Value(bound)) for bound in BOUNDS_MS),
        default=models.Value(ABOVE_MS), output_field=models.IntegerField(),
    )  # fmt: skip
    begun = JobAttempt.objects.filter(started_at__gte=slots[0], started_at__lt=slots[-1] + HOUR).order_by()
    found = begun.annotate(slot=TruncHour("started_at", tzinfo=zone), le=bucket).values_list("slot", "le")
    counts: dict[datetime, dict[int, int]] = {slot: {} for slot in slots}
    for slot, bound, count in found.annotate(count=models.Count("pk")):
        counts[slot][bound] = count
    return [lateness(counts[slot]) for slot in slots]


def lateness(counts: Mapping[int, int]) -> Lateness:
    """From how many tries fell into the bucket below each bound (ms)."""
    tries = sum(counts.values())
    return Lateness(tries, _bound(counts, tries * 0.5), _bound(counts, tries * 0.99)) if tries else Lateness()


def _bound(counts: Mapping[int, int], rank: float) -> int:
    bounds: Iterable[int] = sorted(counts)
    reached = accumulate(counts[bound] for bound in sorted(counts))
    return next(bound for bound, count in zip(bounds, reached, strict=True) if count >= rank)
