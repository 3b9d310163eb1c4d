"""The pictures above the list of jobs, as numbers: what comes when, and how late tries began. The template draws.

Heights are percent of the picture. A picture is never the only way: each has a table with the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log10
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scheduler import overview
from scheduler.models import Job
from scheduler.overview import Lateness
from scheduler.totals import ABOVE_MS

GOAL_MS = 1000  # 99 of 100 tries begin within it; the alert of docs/metrics.md watches the same
LONGEST_MS = 3_600_000  # what is above all buckets is drawn as an hour


@dataclass(frozen=True)
class Column:
    """One hour or day: ``height`` of its bar, for lateness also where its median is, and what it says."""

    title: str
    text: str
    height: float
    middle: float = 0
    url: str = ""
    is_bad: bool = False


@dataclass(frozen=True)
class Chart:
    title: str
    summary: str
    columns: list[Column]
    goal: float | None = None
    goal_text: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(column.height for column in self.columns)

    @property
    def edges(self) -> tuple[str, str]:
        return self.columns[0].title, self.columns[-1].title


def charts(now: datetime) -> list[Chart]:
    """Three queries, of which none reads more than the time it shows."""
    zone: Any = timezone.get_current_timezone()
    hours, days = overview.hours(now, zone), overview.days(now, zone)
    past = overview.hours(now - timedelta(hours=23), zone)
    return [
        _due(_("Due in 24 hours"), hours, overview.due_by_hour(hours, zone), "D H:i", overview.HOUR),
        _due(_("Due in 30 days"), days, overview.due_by_day(days, zone), "D j M", overview.DAY),
        _late(past, overview.lateness_by_hour(past, zone)),
    ]


def _due(title: str, slots: list[datetime], counts: list[int], form: str, step: timedelta) -> Chart:
    most = max(counts)
    columns = [
        Column(date_format(at, form), number_format(count), count * 100 / most if most else 0, url=_jobs(at, at + step))
        for at, count in zip(slots, counts, strict=True)
    ]
    told = ngettext("%(sum)s job", "%(sum)s jobs, at most %(most)s at a time", sum(counts)) % {
        "sum": number_format(sum(counts)), "most": number_format(most),
    }  # fmt: skip
    return Chart(title, told, columns)


def _jobs(since: datetime, until: datetime) -> str:
    """The list of the jobs that are due in between."""
    between = {"run_at__gte": since.astimezone(UTC).isoformat(), "run_at__lt": until.astimezone(UTC).isoformat()}
    query = urlencode({"state__exact": Job.State.SCHEDULED.value, **between})
    return f"{reverse('admin:scheduler_job_changelist')}?{query}"


def _late(slots: list[datetime], found: list[Lateness]) -> Chart:
    columns = [
        Column(
            date_format(at, "D H:i"), _told(late), _height(late.p99_ms), _height(late.p50_ms),
            is_bad=late.p99_ms > GOAL_MS,
        )
        for at, late in zip(slots, found, strict=True)
    ]  # fmt: skip
    worst = max(found, key=lambda late: late.p99_ms)
    goal = _("goal: 99 of 100 within %(goal)s") % {"goal": duration(GOAL_MS)}
    summary = _("worst hour: %(told)s") % {"told": _told(worst)} if worst.tries else _("no job was started")
    return Chart(_("How late jobs began, last 24 hours"), summary, columns, _height(GOAL_MS), goal)


def _told(late: Lateness) -> str:
    if not late.tries:
        return "–"
    return ngettext(
        "one try, within %(half)s", "half within %(half)s, 99 of 100 within %(most)s, %(tries)s tries", late.tries
    ) % {
        "half": duration(late.p50_ms), "most": duration(late.p99_ms), "tries": number_format(late.tries),
    }  # fmt: skip


def _height(milliseconds: int) -> float:
    """By the logarithm: 1 ms is the ground, an hour the top."""
    return 100 * log10(min(milliseconds, LONGEST_MS)) / log10(LONGEST_MS) if milliseconds > 1 else 0


def duration(milliseconds: int) -> str:
    if milliseconds == ABOVE_MS:
        return _("more than an hour")
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    return f"{seconds:g} s" if seconds < 60 else f"{seconds / 60:g} min"
