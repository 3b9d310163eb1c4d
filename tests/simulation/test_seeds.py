"""A few hundred stories in every run of the tests; `make simulate` tells thousands of new ones."""

from __future__ import annotations

import pytest
from django.db import connection

from scheduler.errors import Superseded
from tests.simulation.loom import Killed
from tests.simulation.simulator import run_seed
from tests.simulation.world import Violation, World

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = [range(start, start + 40) for start in range(1000, 1160, 40)]
STAYS = [range(start, start + 8) for start in range(1000, 1024, 8)]


@pytest.mark.parametrize("seeds", JOBS, ids=str)
def test_jobs_keep_their_promises_in_every_story(world: World, seeds: range) -> None:
    for seed in seeds:
        run_seed(world, seed, work="jobs")


@pytest.mark.parametrize("seeds", STAYS, ids=str)
def test_stays_end_with_the_right_pins_in_every_story(world: World, seeds: range) -> None:
    for seed in seeds:
        run_seed(world, seed, work="stays")


@pytest.mark.skipif("sqlite" not in connection.vendor, reason="PostgreSQL gives rows of one instant in any order")
@pytest.mark.parametrize("work", ["jobs", "stays"])
def test_a_seed_tells_the_same_story_each_time(world: World, work: str) -> None:
    stories = []
    for _ in range(2):
        run_seed(world, 1007, work=work)
        stories.append(world.log)
    assert stories[0] == stories[1]
    assert any("quiet" in what for _, what in stories[0])


def test_a_violation_is_no_exception_that_the_product_might_swallow() -> None:
    assert not issubclass(Violation, Exception)
    assert not issubclass(Killed, Exception)
    assert issubclass(Superseded, Exception)
