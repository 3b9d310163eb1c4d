"""Totals of the attempts: the same before and after they are folded, pruned and cleared."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from scheduler import services, totals
from scheduler.models import AttemptTotal, Job, JobAttempt
from tests.builders import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=60)


def attempt(
    outcome: str = "succeeded", *, state: str = "succeeded", late_ms: int = 3, took: timedelta | None = None,
    kind: str = "tests.plain", at: datetime = NOW,
) -> JobAttempt:  # fmt: skip
    """A job with one attempt, as the runner leaves it."""
    job = services.schedule(kind, due_at=at, now=at)
    live = state in Job.LIVE
    Job.objects.filter(pk=job.pk).update(
        state=state, finished_at=None if live else at, lease_until=at if state == "running" else None
    )
    finished_at = None if outcome == "started" else at + (took or timedelta(milliseconds=20))
    return JobAttempt.objects.create(
        job=job, number=1, started_at=at, finished_at=finished_at, outcome=outcome, lateness_ms=late_ms
    )


def seen() -> tuple[Counter[tuple[str, str, int, int]], int, timedelta]:
    tallies = totals.read()
    counts: Counter[tuple[str, str, int, int]] = Counter()
    for tally in tallies:
        counts[tally[:4]] += tally.attempts
    return counts, sum(t.lateness_ms for t in tallies), sum((t.duration for t in tallies), timedelta())


def up_to() -> int:
    return AttemptTotal.objects.get(**totals.MARK).up_to


def test_attempts_are_counted_by_kind_outcome_and_buckets() -> None:
    attempt(late_ms=-2)
    attempt(late_ms=5)
    attempt("retry", state="scheduled", late_ms=6, took=timedelta(hours=2))
    attempt("started", state="running")
    counts, lateness_ms, duration = seen()
    assert counts == {
        ("tests.plain", "succeeded", 5, 25): 2,
        ("tests.plain", "retry", 10, totals.ABOVE_MS): 1,
    }
    assert (lateness_ms, duration) == (11, timedelta(hours=2, milliseconds=40))


def test_folding_changes_no_total_and_counts_nothing_twice() -> None:
    for late_ms in (1, 1, 700):
        attempt(late_ms=late_ms)
    before = seen()
    assert [totals.fold(now=LATER), totals.fold(now=LATER)] == [3, 0]
    assert seen() == before
    attempt(late_ms=1)
    assert totals.fold(now=LATER) == 1
    assert seen()[0][("tests.plain", "succeeded", 5, 25)] == 3


def test_an_attempt_that_still_runs_holds_the_mark_and_is_counted_when_it_ends() -> None:
    attempt()
    running = attempt("started", state="running")
    attempt()
    assert totals.fold(now=LATER) == 1
    assert up_to() == running.pk - 1
    assert sum(seen()[0].values()) == 2
    JobAttempt.objects.filter(pk=running.pk).update(outcome="failed", finished_at=LATER)
    assert sum(seen()[0].values()) == 3
    assert totals.fold(now=LATER) == 2
    assert sum(seen()[0].values()) == 3


def test_an_attempt_that_was_called_off_and_never_closed_does_not_hold_the_mark_for_ever() -> None:
    silent = attempt("started", state="cancelled")
    attempt()
    assert totals.fold(now=NOW + timedelta(minutes=30)) == 0
    assert totals.fold(now=NOW + timedelta(minutes=90)) == 2
    silent.refresh_from_db()
    assert (silent.outcome, silent.finished_at, silent.error) == ("lost", silent.job.updated_at, totals.SILENT)


def test_a_scrape_folds_by_itself_when_the_tick_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt()
    before = seen()
    assert not AttemptTotal.objects.exists()
    monkeypatch.setattr(totals, "FAR_BEHIND", 0)
    assert (seen(), up_to() > 0) == (before, True)


def test_fresh_attempts_wait_because_a_smaller_id_may_still_be_committed() -> None:
    attempt()
    assert totals.fold(now=NOW + timedelta(minutes=1)) == 0
    assert sum(seen()[0].values()) == 1


@pytest.mark.parametrize("fold_first", [False, True], ids=["unfolded", "folded"])
def test_no_total_falls_when_jobs_are_pruned_or_cleared(fold_first: bool) -> None:
    attempt()
    attempt("cancelled", state="cancelled")
    attempt("failed", state="failed", late_ms=4000)
    if fold_first:
        totals.fold(now=LATER)
    attempt("lost", state="failed", kind="tests.exclusive")
    before = seen()
    assert services.prune(now=LATER) == 2
    assert seen() == before
    assert services.clear_failed(Job.objects.all()) == 2
    assert not JobAttempt.objects.exists()
    assert seen() == before
    totals.fold(now=LATER)
    assert seen() == before


def test_a_fold_in_the_middle_of_a_scrape_counts_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt()
    mark = totals._mark

    def folded_just_after() -> int:
        before = mark()
        totals.fold(now=LATER)
        return before

    monkeypatch.setattr(totals, "_mark", folded_just_after)
    assert sum(seen()[0].values()) == 1


def test_totals_stay_right_whatever_happens_in_which_order() -> None:
    for step in range(12):
        attempt(late_ms=10**step, at=NOW + timedelta(hours=step))
        if step % 3 == 0:
            totals.fold(now=NOW + timedelta(hours=step + 1))
        if step % 4 == 1:
            totals.forget(Job.objects.order_by("-pk")[:2])
        assert sum(seen()[0].values()) == step + 1
