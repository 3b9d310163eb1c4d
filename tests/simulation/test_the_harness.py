"""Who watches the watchmen: with one part of the engine taken out, some story goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection, models, transaction

from scheduler import dispatcher, services
from scheduler.models import Job
from tests.builders import NOW
from tests.scheduler.test_at_once import at_once
from tests.simulation.removed import PARTS
from tests.simulation.simulator import Failure, run_seed
from tests.simulation.world import World

# Whether the simulator notices is no matter of the database.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]
MOST_SEEDS = 400
EXPECTED = {
    "version_fence": "P7|P6|done|effects",
    "lease_sweep": "P11",
    "guard_and_fence": "at once",
    "check_before_effects": "P7",
    "wait_for_the_moment": "P6",
    "second_message": "P11",
}
# Stories that are known to find it. Should they no longer, the others are told, too.
ON_SQLITE = "sqlite" in connection.vendor  # its rows of one instant come in another order: other stories
FIRST = {
    "version_fence": 23,
    "lease_sweep": 17,
    "check_before_effects": 80 if ON_SQLITE else 7,
    "wait_for_the_moment": 122,
}
TWO_WRITERS = pytest.mark.skipif(ON_SQLITE, reason="SQLite has one writer: nothing to skip")


@pytest.mark.parametrize("part", PARTS)
def test_without_it_some_story_goes_wrong(world: World, part: str) -> None:
    with PARTS[part](), pytest.raises(Failure, match=EXPECTED[part]) as failure:
        run_many(world, FIRST.get(part, 0))
    assert f"make simulate SEED={failure.value.seed}" in str(failure.value)
    run_seed(world, failure.value.seed, work="jobs")  # with it, the very same story goes well


def run_many(world: World, first: int) -> None:
    for seed in range(MOST_SEEDS):
        run_seed(world, (first + seed) % MOST_SEEDS, work="jobs")


@TWO_WRITERS
@pytest.mark.parametrize("is_there", [True, False])
def test_without_skip_locked_one_dispatcher_waits_for_the_other(is_there: bool) -> None:
    services.schedule("simulation.plain", due_at=NOW, now=NOW)
    Job.objects.update(published_at=None)
    one_holds, other_is_done = threading.Event(), threading.Event()

    def take_and_hold() -> int:
        with transaction.atomic():
            taken = len(dispatcher.take(now=NOW))
            one_holds.set()
            other_is_done.wait(10)
        return taken

    def take_meanwhile() -> object:
        one_holds.wait(10)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
                return len(dispatcher.take(now=NOW))
        except OperationalError:
            return "waited in vain"
        finally:
            other_is_done.set()

    with skip_locked(is_there):
        assert at_once(take_and_hold, take_meanwhile) == [1, 0 if is_there else "waited in vain"]


@contextmanager
def skip_locked(is_there: bool) -> Iterator[None]:
    real = models.QuerySet.select_for_update

    def waiting(rows: Any, *_: Any, **__: Any) -> Any:
        return real(rows)

    with mock.patch.object(models.QuerySet, "select_for_update", real if is_there else waiting):
        yield
