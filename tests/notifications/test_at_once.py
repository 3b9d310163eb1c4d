"""The end of a stay's job and a change of the stay meet. Only PostgreSQL lets two of them write at once."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from django.db import connection, transaction

from notifications import receivers
from notifications.planning import TELL_GUEST, plan_tellings
from reservations.models import Reservation
from scheduler import services as jobs
from scheduler.models import Job
from scheduler.signals import jobs_ended
from tests.builders import NOW, make_accommodation, make_reservation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in at a time"),
]


def test_the_end_of_a_job_does_not_wait_for_whoever_changes_its_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    stay = make_reservation(make_accommodation())
    job = jobs.schedule(TELL_GUEST, subject=stay.subject, live_key="told", due_at=NOW, now=NOW)
    told: list[tuple[bool, set[int]]] = []

    def plan(stays: set[int], *, now: datetime, skip_held: bool = False) -> set[int]:
        left = plan_tellings(stays, now=now, skip_held=skip_held)
        told.append((skip_held, left))
        return left

    monkeypatch.setattr(receivers, "plan_tellings", plan)
    has_ended, problems = threading.Event(), list[Exception]()

    def end() -> None:
        """As ``scheduler.records`` does: the job's row is held while those who listen look at the stay."""
        try:
            with transaction.atomic():
                Job.objects.filter(pk=job.pk).update(last_error="")
                has_ended.set()
                jobs_ended.send(Job, jobs=[job])
        except Exception as problem:
            problems.append(problem)
        connection.close()

    worker = threading.Thread(target=end)
    with transaction.atomic():
        Reservation.objects.select_for_update().get(pk=stay.pk)
        worker.start()
        has_ended.wait(10)
        Job.objects.filter(pk=job.pk).update(last_error="called off")  # waits for the end of the job
    worker.join(10)

    assert problems == []
    # After the commit, when the stay may be held for a moment by somebody else.
    assert told == [(True, {stay.pk}), (False, set())]
