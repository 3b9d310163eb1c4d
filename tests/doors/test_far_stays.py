"""A lock that says it is full: who comes soon has the place of whose stay is days away; nobody in house is moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from locks.models import Credential, Lock
from notifications.models import Notice
from scheduler import clock
from tests.doors.street import CAPACITY
from tests.doors.test_shared_doors import HOUR, MINUTE, SharedDoors

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
A_DAY = 48  # half hours


@pytest.fixture
def story() -> Iterator[SharedDoors]:
    """At the street door PINs are put on four days ahead, and it holds half of what our records say."""
    told = SharedDoors()
    told.build(gate="zigbee", first="zigbee", second="zigbee", backups=0)
    Lock.objects.filter(device_id="gate").update(capacity=2 * CAPACITY, lead_minutes=4 * 24 * 60)
    yield told
    told.stack.close()


def book(story: SharedDoors, *begins: int, lasts: int = 4) -> None:
    """Stays of two hours, one after the other in both units, each from so many half hours on."""
    for number, begin in enumerate(begins):
        story.book_a_stay(unit=number % 2, begins=begin, lasts=lasts)
    story.street.until(clock.now() + 10 * MINUTE)


def gate() -> dict[int, Credential]:
    """The wanted PINs at the street door, by the number of the stay."""
    rows = Credential.objects.filter(lock__device_id="gate", wanted=True).select_related("reservation")
    return {int(row.reservation.external_id, 16): row for row in rows if row.reservation}


def proven() -> list[int]:
    return sorted(number for number, one in gate().items() if one.is_proven())


def calls() -> list[Notice]:
    """What a person was called for, but for double bookings."""
    return list(Notice.objects.exclude(code="stays_overlap"))


def test_the_farthest_stay_gives_way_and_its_guest_keeps_her_digits(story: SharedDoors) -> None:
    book(story, *(3 * A_DAY + 8 * number for number in range(CAPACITY)))
    before = gate()
    assert proven() == [1, 2, 3, 4, 5]
    book(story, 3)  # in an hour and a half
    after = gate()
    assert proven() == [1, 2, 3, 4, 6]
    assert (after[5].asked_at, after[5].pin_fingerprint) == (None, before[5].pin_fingerprint)
    assert len(story.street.door(0).slots) == CAPACITY
    assert calls() == []
    story.street.until(clock.now() + 5 * HOUR)
    assert gate()[5].is_proven(), "the near one has left"
    assert len(story.street.door(0).slots) == CAPACITY


def test_a_far_stay_in_line_does_not_take_the_place_that_was_made_for_a_near_one(story: SharedDoors) -> None:
    book(story, *(3 * A_DAY + 8 * number for number in range(CAPACITY + 1)))
    assert proven() == [1, 2, 3, 4, 5]
    book(story, 3)
    assert proven() == [1, 2, 3, 4, 7]


def test_where_nothing_of_ours_can_wait_a_person_is_told_at_once_and_nobody_is_moved(story: SharedDoors) -> None:
    book(story, *(A_DAY + number for number in range(CAPACITY)))
    there = dict(story.street.door(0).slots)
    book(story, 6)
    assert story.street.door(0).slots == there
    [told] = calls()
    assert (told.code, "no more PINs" in told.text) == ("door_no_room", True)


def test_a_stay_that_is_days_away_moves_nobody_and_calls_nobody(story: SharedDoors) -> None:
    book(story, *(3 * A_DAY + 8 * number for number in range(CAPACITY)))
    there = dict(story.street.door(0).slots)
    book(story, 3 * A_DAY)
    story.street.until(clock.now() + 3 * HOUR)
    assert story.street.door(0).slots == there
    assert calls() == []
