"""What the simulator remembers of Django changes no story and no statement."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, QuerySet

from locks.models import Credential
from scheduler.models import Job
from tests.simulation import remembered
from tests.simulation.simulator import run_seed
from tests.simulation.world import simulated_world

KINDS_OF_QUERIES: list[Callable[[], QuerySet[Any, Any]]] = [
    lambda: Job.objects.all(),
    lambda: Job.objects.order_by("-priority", "run_at"),
    lambda: Job.objects.reverse(),
    lambda: Job.objects.order_by(),
    lambda: Job.objects.order_by(F("lease_until").desc(nulls_last=True)),
    lambda: Job.objects.only("kind"),
    lambda: Job.objects.values("state", "run_at"),
    lambda: Job.objects.filter(attempts__outcome="lost"),
    lambda: Credential.objects.filter(lock__radio="wifi").order_by("lock__name"),
    lambda: Credential.objects.order_by("lock__name"),
    lambda: Credential.objects.order_by("lock"),
    lambda: Credential.objects.select_related("lock", "reservation__accommodation").order_by("name"),
    lambda: Credential.objects.annotate(name_again=F("name")).order_by("name_again"),
    lambda: Credential.objects.order_by("name"),
]


def test_every_kind_of_query_is_put_into_the_same_words() -> None:
    plain = [str(make().query) for make in KINDS_OF_QUERIES]
    with remembered.columns():
        for _ in range(2):
            assert [str(make().query) for make in KINDS_OF_QUERIES] == plain
        assert [str(make().query) for make in reversed(KINDS_OF_QUERIES)] == plain[::-1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("sqlite" not in connection.vendor, reason="PostgreSQL gives rows of one instant in any order")
@pytest.mark.parametrize("work", ["jobs", "stays"])
def test_the_same_story_is_told_in_the_same_statements(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = told(work)
    monkeypatch.setattr(remembered, "columns", nullcontext)
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
