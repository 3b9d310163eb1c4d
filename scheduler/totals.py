"""Totals of the attempts that only ever grow, although retention deletes the attempts.

Total = what ``AttemptTotal`` contains + the finished attempts behind its mark, read in one statement. ``fold`` moves
the mark on and ``forget`` deletes jobs, each in one commit and holding the mark's row; neither changes the total.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Cast, Greatest

from scheduler import clock
from scheduler.models import AttemptTotal, Job, JobAttempt

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
BOUNDS_MS = tuple(round(seconds * 1000) for seconds in SECONDS)
ABOVE_MS = 2**31 - 1  # the bucket of what is above all bounds
SETTLED = timedelta(minutes=5)  # by then a claim is committed or was rolled back, so no smaller id turns up
ABANDONED = timedelta(hours=1)  # an attempt that was called off and whose worker never said that it ended
SILENT = "Its job was called off while it ran, and its worker never said how it ended."
FAR_BEHIND = 100_000  # attempts; the fold's tick must have stopped, and so many take a scrape a third of a second
TALLIED = ("job__kind", "outcome", "late_le", "took_le", "number", "late_sum", "took_sum")
MARK: dict[str, Any] = {"kind": "", "outcome": "", "lateness_le_ms": 0, "duration_le_ms": 0}


class Tally(NamedTuple):
    """So many attempts of a kind ended like this, with a lateness and a duration in these buckets."""

    kind: str
    outcome: str
    lateness_le_ms: int
    duration_le_ms: int
    attempts: int
    lateness_ms: int
    duration: timedelta


def read() -> list[Tally]:
    """All that ever finished. The same combination may come twice: once contained, once behind the mark.

    The mark is read first and given as a number, for with a subquery PostgreSQL reads every attempt. It comes with
    the rows again: when a fold moved it in between, they do not fit together and are read again. With the tick
    stopped, a scrape folds by itself now and then, so that none has to count them all.
    """
    newest = JobAttempt.objects.aggregate(pk=models.Max("pk"))["pk"] or 0
    if newest - _mark() > FAR_BEHIND:
        fold(now=clock.now())
    while True:
        mark = _mark()
        contained = AttemptTotal.objects.order_by().values_list(
            "kind", "outcome", "lateness_le_ms", "duration_le_ms", "attempts", "lateness_ms", "duration", "up_to"
        )  # fmt: skip
        behind = (
            _tallied(JobAttempt.objects.filter(pk__gt=mark))
            .annotate(zero=models.Value(0))
            .values_list(*TALLIED, "zero")
        )
        rows = list(contained.union(behind, all=True))
        if max((row[-1] for row in rows), default=0) == mark:
            return [Tally(*row[:-1]) for row in rows if row[0]]


def _mark() -> int:
    return AttemptTotal.objects.filter(**MARK).values_list("up_to", flat=True).first() or 0


@transaction.atomic
def fold(*, now: datetime) -> int:
    """Add the attempts that have settled to the totals, so that a scrape need not count them. Returns how many."""
    mark = _locked_mark()
    behind = JobAttempt.objects.filter(pk__gt=mark.up_to)
    settled = behind.filter(started_at__lt=now - SETTLED).order_by("-pk").values_list("pk", flat=True).first()
    if settled is None:
        return 0
    still_open = behind.filter(finished_at__isnull=True)
    _close_abandoned(still_open, now)
    first_open = still_open.aggregate(pk=models.Min("pk"))["pk"]
    up_to = settled if first_open is None else min(settled, first_open - 1)
    added = _add(behind.filter(pk__lte=up_to))
    AttemptTotal.objects.filter(pk=mark.pk).update(up_to=up_to)
    return added


def _close_abandoned(attempts: models.QuerySet[JobAttempt], now: datetime) -> None:
    """Those of jobs that run no more and whose worker died: they ended, for all one knows, when it last moved."""
    abandoned = attempts.filter(started_at__lt=now - ABANDONED).exclude(job__state=Job.State.RUNNING)
    moved = Job.objects.filter(pk=models.OuterRef("job_id")).values("updated_at")
    abandoned.update(
        outcome=JobAttempt.Outcome.LOST, error_class="Lost", error=SILENT,
        finished_at=Greatest(F("started_at"), models.Subquery(moved)),
    )  # fmt: skip


@transaction.atomic
def forget(jobs: models.QuerySet[Job]) -> int:
    """Delete jobs and their attempts; whoever prunes or clears does it here. Returns how many jobs went."""
    mark = _locked_mark()
    ids = list(jobs.select_for_update().values_list("pk", flat=True))
    attempts = JobAttempt.objects.filter(job_id__in=ids)
    _add(attempts.filter(pk__gt=mark.up_to))
    attempts.delete()
    Job.objects.filter(pk__in=ids).delete()
    return len(ids)


def _locked_mark() -> AttemptTotal:
    AttemptTotal.objects.get_or_create(**MARK)
    return AttemptTotal.objects.select_for_update().get(**MARK)


def _add(attempts: models.QuerySet[JobAttempt]) -> int:
    """Add these to the totals, under the mark's lock: nobody else changes a total meanwhile."""
    tallies = [Tally(*row) for row in _tallied(attempts).values_list(*TALLIED)]
    if not tallies:
        return 0
    totals = {_key(total): total for total in AttemptTotal.objects.exclude(kind="")}
    for tally in tallies:
        fresh = AttemptTotal(**dict(zip(tally._fields[:4], tally[:4], strict=True)))
        total = totals.setdefault(tally[:4], fresh)
        total.attempts += tally.attempts
        total.lateness_ms += tally.lateness_ms
        total.duration += tally.duration
    changed = [totals[tally[:4]] for tally in tallies]
    sums = ["attempts", "lateness_ms", "duration"]
    AttemptTotal.objects.bulk_create([total for total in changed if total.pk is None])
    AttemptTotal.objects.bulk_update([total for total in changed if total.pk is not None], sums)
    return sum(tally.attempts for tally in tallies)


def _key(total: AttemptTotal) -> tuple[str, str, int, int]:
    return total.kind, total.outcome, total.lateness_le_ms, total.duration_le_ms


def _tallied(attempts: models.QuerySet[JobAttempt]) -> Any:
    """The finished ones of these, counted by the database."""
    took = models.ExpressionWrapper(F("finished_at") - F("started_at"), output_field=models.DurationField())
    late_in = [models.When(lateness_ms__lte=bound, then=models.Value(bound)) for bound in BOUNDS_MS]
    took_in = [models.When(took__lte=timedelta(milliseconds=bound), then=models.Value(bound)) for bound in BOUNDS_MS]
    return (
        attempts.filter(finished_at__isnull=False)
        .order_by()
        .annotate(took=took)
        .annotate(
            late_le=models.Case(*late_in, default=models.Value(ABOVE_MS), output_field=models.IntegerField()),
            took_le=models.Case(*took_in, default=models.Value(ABOVE_MS), output_field=models.IntegerField()),
        )
        .values("job__kind", "outcome", "late_le", "took_le")
        .annotate(
            number=models.Count("pk"),
            late_sum=Cast(models.Sum(Greatest("lateness_ms", models.Value(0))), models.BigIntegerField()),
            took_sum=models.Sum("took"),
        )
    )
