"""What our back ends remember changes no statement and no story."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from locks.holders import with_fallback
from locks.models import Credential, Lock
from reservations.models import Reservation
from scheduler.models import Job, JobAttempt
from smartlock.database.remembered import Remembering
from tests.simulation.simulator import run_seed
from tests.simulation.world import simulated_world

KINDS_OF_QUERIES: list[Callable[[], QuerySet[Any, Any]]] = [
    lambda: Job.objects.all(),
    lambda: Job.objects.order_by("-priority", "run_at"),
    lambda: Job.objects.reverse(),
    lambda: Job.objects.order_by(),
    lambda: Job.objects.order_by(F("lease_until").desc(nulls_last=True)),
    lambda: Job.objects.only("kind"),
    lambda: Job.objects.only("kind", "state"),
    lambda: Job.objects.defer("payload"),
    lambda: Job.objects.values("state", "run_at"),
    lambda: Job.objects.values("state").annotate(number=Count("pk")).order_by("state"),
    lambda: Job.objects.annotate(tries=Count("attempts")),
    lambda: Job.objects.annotate(tries=Count("attempts")).order_by("tries"),
    lambda: Job.objects.annotate(tries=Count("attempts")).order_by("-tries", "run_at"),
    lambda: Job.objects.filter(attempts__outcome="lost"),
    lambda: Job.objects.filter(attempts__outcome="lost").distinct().order_by("run_at"),
    lambda: Job.objects.filter(Exists(JobAttempt.objects.filter(job=OuterRef("pk"), outcome="lost"))),
    lambda: Job.objects.filter(pk__in=Job.objects.filter(state="failed").order_by("due_at").values("pk")[:5]),
    lambda: Job.objects.filter(subject="a").order_by().union(Job.objects.filter(subject="b").order_by()),
    lambda: Credential.objects.filter(lock__radio="wifi").order_by("lock__name"),
    lambda: Credential.objects.order_by("lock__name"),
    lambda: Credential.objects.order_by("lock"),
    lambda: Credential.objects.select_related("lock", "reservation__accommodation").order_by("name"),
    lambda: Credential.objects.select_related("lock").only("lock__name", "name"),
    lambda: Credential.objects.annotate(name_again=F("name")).order_by("name_again"),
    lambda: Credential.objects.order_by("name"),
    lambda: with_fallback(Reservation.objects.select_related("accommodation", "withdrawal")).filter(pk=1),
    lambda: Lock.objects.filter(accommodations__reservations__guest_name="x").exclude(credentials__state="on_lock"),
    lambda: Lock.objects.filter(pk__in=Credential.objects.filter(lock=OuterRef("pk")).values("lock")),
]


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the back end forget how to remember, for the rest of the test."""

    def forget() -> None:
        for name in ("compile", "get_select", "get_order_by", "get_converters"):
            monkeypatch.setattr(Remembering, name, getattr(SQLCompiler, name))

    return forget


def in_words(make: Callable[[], QuerySet[Any, Any]]) -> tuple[str, Any]:
    query = make().query
    return connection.ops.compiler("SQLCompiler")(query, connection, "default").as_sql()


@pytest.mark.django_db
def test_every_kind_of_query_is_put_into_the_same_words(stock: Callable[[], None]) -> None:
    ours = [[in_words(make) for make in KINDS_OF_QUERIES] for _ in range(2)]
    backwards = [in_words(make) for make in reversed(KINDS_OF_QUERIES)]
    stock()
    plain = [in_words(make) for make in KINDS_OF_QUERIES]
    assert ours == [plain, plain]
    assert backwards == plain[::-1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("sqlite" not in connection.vendor, reason="PostgreSQL gives rows of one instant in any order")
@pytest.mark.parametrize("work", ["jobs", "stays"])
def test_the_same_story_is_told_in_the_same_statements(work: str, stock: Callable[[], None]) -> None:
    with_it = told(work)
    stock()
    assert told(work) == with_it


def told(work: str) -> list[Any]:
    """All that happens and all that is asked; the names of savepoints are others each time."""
    asked: list[Any] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql if "SAVEPOINT" not in sql else "SAVEPOINT")
        return execute(sql, params, many, context)

    with simulated_world() as world, connection.execute_wrapper(listen):
        run_seed(world, 1007, work=work)
        run_seed(world, 1008, work=work)
        return [*asked, *world.log]
