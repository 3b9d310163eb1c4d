"""Scrapes beside folds and deletions: no reader ever sees a total that is not the true one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from scheduler import totals
from scheduler.models import AttemptTotal, Job, JobAttempt
from tests.builders import NOW
from tests.scheduler.test_at_once import at_once
from tests.scheduler.test_totals import attempt

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("sqlite" in str(connection.vendor), reason="SQLite has one writer: nothing happens at once"),
]
ROUNDS = 40


def fold_step_by_step() -> None:
    """Each attempt is an hour younger than the one before: every fold has one to add."""
    for hour in range(ROUNDS):
        totals.fold(now=NOW + timedelta(hours=hour, minutes=6))


def forget_the_youngest() -> None:
    for _ in range(ROUNDS // 2):
        totals.forget(Job.objects.order_by("-pk")[:1])


def scrapes() -> set[int]:
    return {sum(tally.attempts for tally in totals.read()) for _ in range(ROUNDS)}


def test_a_scrape_sees_the_true_total_whatever_happens_beside_it() -> None:
    for hour in range(ROUNDS):
        attempt(at=NOW + timedelta(hours=hour))
    results = at_once(fold_step_by_step, forget_the_youngest, fold_step_by_step, scrapes)
    assert results[-1] == {ROUNDS}
    assert JobAttempt.objects.count() == ROUNDS // 2
    assert sum(AttemptTotal.objects.values_list("attempts", flat=True)) == ROUNDS
