"""A row that is written by itself arrives whole, whichever way its INSERT was put."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Value
from django.db.models.functions import Lower, Now

from notifications.models import Message
from scheduler.models import AttemptTotal, Job, JobAttempt
from smartlock.audit.models import AuditLog

pytestmark = pytest.mark.django_db
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite prepares every statement")
NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def a_job(**values: Any) -> Job:
    return Job(kind="bench.noop", due_at=NOW, run_at=NOW, **values)


def test_every_kind_of_value_comes_back_as_it_was() -> None:
    job = a_job(subject="O'Neil %s $1 \\ ção 🔑", payload={"n": [1, None, "x"]}, priority=10, exclusive=True)
    job.save()
    saved = Job.objects.get()
    assert saved.pk == job.pk
    for field in Job._meta.concrete_fields:
        assert getattr(saved, field.attname) == getattr(job, field.attname), field.name
    total = AttemptTotal.objects.create(
        kind="k", outcome="o", lateness_le_ms=1, duration_le_ms=2**31 - 1, lateness_ms=-(2**40), duration=timedelta(1.5)
    )
    assert AttemptTotal.objects.get() == total
    assert AttemptTotal.objects.get().duration == timedelta(1.5)


def test_what_the_database_is_to_work_out_is_left_to_it() -> None:
    job = Job(kind=Lower(Value("BENCH.NOOP")), due_at=Now(), run_at=NOW)
    job.save()
    assert Job.objects.get().kind == "bench.noop"
    assert Job.objects.get().due_at > NOW


def test_a_given_key_is_kept_and_a_taken_one_refused() -> None:
    a_job(pk=70_000).save(force_insert=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        a_job(pk=70_000).save(force_insert=True)
    assert [job.pk for job in Job.objects.all()] == [70_000]


def test_rows_with_one_that_is_taken_are_told_apart() -> None:
    """``bulk_create`` of one row with a conflict goes Django's way."""
    a_job(live_key="once").save()
    Job.objects.bulk_create([a_job(live_key="once")], ignore_conflicts=True)
    assert Job.objects.count() == 1


@on_postgresql
def test_the_third_of_a_kind_is_prepared_and_numbers_of_any_size_fit() -> None:
    job = a_job()
    job.save()
    for lateness in (1, 40_000, 2**40, -3, 7):
        JobAttempt.objects.create(job=job, number=1, started_at=NOW, lateness_ms=lateness)
    assert sorted(JobAttempt.objects.values_list("lateness_ms", flat=True)) == [-3, 1, 7, 40_000, 2**40]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO %jobattempt%'")
        assert cursor.fetchone()[0] >= 1


def test_the_models_that_are_written_most_have_rows_that_can_be_prepared() -> None:
    """A field that wants words of its own would send all its model's rows the long way."""
    for model in (Job, JobAttempt, AuditLog, Message):
        assert not [field.name for field in model._meta.concrete_fields if hasattr(field, "get_placeholder")]
