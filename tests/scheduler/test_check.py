"""Before each effect a task asks whether it still holds its job; a cut connection alone must not make it give up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction

from scheduler import claims, clock, services
from scheduler.due import look_up
from scheduler.errors import Superseded
from scheduler.models import Job
from tests.scheduler.kinds_for_tests import PLAIN

pytestmark = pytest.mark.django_db(transaction=True)


def claimed() -> claims.Run:
    now = clock.now() - timedelta(seconds=1)
    job = services.schedule("tests.plain", due_at=now, now=now)
    [claim], _ = claims.claim(PLAIN, look_up([[job.pk, job.version]]), now=clock.now(), worker="w1")
    return claim.run


def cut() -> None:
    """The server ends our connection, as it does at a failover."""
    with connection.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection to cut")
def test_a_cut_connection_is_replaced_and_asked_again() -> None:
    run = claimed()
    cut()
    run.check()
    services.cancel(Job.objects.filter(pk=run.job_id), now=clock.now())
    cut()
    with pytest.raises(Superseded):
        run.check()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection to cut")
def test_inside_a_transaction_the_cut_is_the_callers_to_hear_of() -> None:
    def cut_and_check(run: claims.Run) -> None:
        with transaction.atomic():
            cut()
            run.check()

    with pytest.raises(OperationalError):
        cut_and_check(claimed())
