"""What the calls of a month amount to, beside the plan's quota: kept for good, and told in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, Sum

from locks import doors
from locks.models import Lock, ProviderUsage
from locks.signals import quota_nearly_used
from locks.tuya.meter import month_of
from smartlock.audit.services import record

log = structlog.get_logger(__name__)
WARNINGS = (80, 95)  # per cent of the quota


@dataclass(frozen=True)
class Month:
    """The running month of the Tuya project. ``quota`` 0: not known, so nothing is warned of."""

    calls: int
    quota: int

    @property
    def percent(self) -> int | None:
        return self.calls * 100 // self.quota if self.quota else None


def this_month(*, now: datetime) -> Month:
    """Folded and counted since; without Redis only what was folded."""
    return all_time(now=now)[1]


def all_time(*, now: datetime) -> tuple[int, Month]:
    """Every call this installation ever counted, of whichever project; and the running month, in one query."""
    mine = Q(provider=Lock.Provider.TUYA, account=settings.TUYA_CLIENT_ID, month=month_of(now))
    sums = ProviderUsage.objects.aggregate(total=Sum("calls"), month=Sum("calls", filter=mine))
    pending = _pending(month_of(now))
    return (sums["total"] or 0) + pending, Month((sums["month"] or 0) + pending, settings.TUYA_MONTHLY_QUOTA)


def fold(*, now: datetime) -> int:
    """Move what was counted into the table, and warn when a share of the quota is passed. Returns how many calls."""
    moved = 0
    try:
        for month, calls in doors.tuya_meter().take(now):
            _add(month, calls)
            moved += calls
    except redis.RedisError as error:
        log.warning("usage.without_redis", error=type(error).__name__)
    return moved


@transaction.atomic
def _add(month: date, calls: int) -> None:
    row, _ = ProviderUsage.objects.select_for_update().get_or_create(
        provider=Lock.Provider.TUYA, account=settings.TUYA_CLIENT_ID, month=month
    )
    ProviderUsage.objects.filter(pk=row.pk).update(calls=F("calls") + calls)
    total, quota = row.calls + calls, settings.TUYA_MONTHLY_QUOTA
    passed = max((percent for percent in WARNINGS if quota and total * 100 >= percent * quota), default=0)
    if passed <= row.warned_percent:
        return
    ProviderUsage.objects.filter(pk=row.pk).update(warned_percent=passed)
    record("account.quota", "account:tuya", summary=f"{passed} %", calls=total, quota=quota)
    quota_nearly_used.send(ProviderUsage, provider="tuya", percent=passed, calls=total, quota=quota)


def _pending(month: date) -> int:
    try:
        return doors.tuya_meter().pending(month)
    except redis.RedisError:
        return 0
