"""Who watches the watchmen: with one part of the plan taken out, a plain story goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest import mock

import pytest

from locks import planning
from locks.plan import CHANGE, GENERATE, REVOKE, HolderFacts, WantedJob, plan
from tests.doors.test_shared_doors import SharedDoors

# Whether the judge notices is no matter of the database.
pytestmark = [pytest.mark.django_db, pytest.mark.once]


@contextmanager
def unplanned(kind: str) -> Iterator[None]:
    def without(holder: HolderFacts, now: datetime) -> list[WantedJob]:
        return [job for job in plan(holder, now) if job.kind != kind]

    with mock.patch.object(planning, "plan", without):
        yield


def tell(by: int) -> None:
    """A stay of eight hours, in its second hour, whose end is moved by so many half hours; then all is quiet."""
    story = SharedDoors()
    try:
        story.build(gate="zigbee", first="wifi", second="ble", backups=1)
        story.book_a_stay(unit=0, begins=0, lasts=16)
        story.wait(minutes=60)
        story.move_check_out(which=0, by=by)
        story.wait(minutes=20)
    finally:
        story.teardown()


@pytest.mark.parametrize("by", [4, -4])
@pytest.mark.parametrize(("kind", "said"), [(CHANGE, "not until"), (GENERATE, "P1: no code"), (REVOKE, "P2|P9")])
def test_without_a_part_of_the_plan_the_locks_give_it_away(kind: str, said: str, by: int) -> None:
    with unplanned(kind), pytest.raises(AssertionError, match=said):
        tell(by)


@pytest.mark.parametrize("by", [4, -4])
def test_with_the_whole_plan_the_same_story_goes_well(by: int) -> None:
    tell(by)
