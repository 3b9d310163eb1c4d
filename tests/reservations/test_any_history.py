"""Any order, repetition and loss of what a source says, then one poll: the same stay, the same jobs, the same door."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from locks import doors
from reservations.errors import UnknownListing
from reservations.models import Accommodation, Reservation
from reservations.services import save_facts, set_times
from scheduler.models import Job
from tests.builders import NOW, make_accommodation, make_facts, make_lock
from tests.engine import time_machine_at
from tests.locks.fake_door import FakeDoors

# About the order of what is heard; the statements are those of test_save_facts.py and of tests/locks.
pytestmark = [pytest.mark.django_db, pytest.mark.once]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CHECK_IN = NOW + timedelta(days=1, hours=6)
LATEST_CHECK_IN = CHECK_IN + timedelta(days=1)
Word = dict[str, Any]
WORDS: st.SearchStrategy[Word] = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["reserved", "booked", "booked", "contract", "canceled", "deleted"]),
        "check_in_date": st.sampled_from([date(2026, 3, 6), date(2026, 3, 7)]),
        "check_out_date": st.sampled_from([date(2026, 3, 9), date(2026, 3, 12)]),
        "listing_id": st.sampled_from(["L1", "L1", "L2", "nobodys"]),
    }
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Word], list[int], int]:
    """What was said, which of it is heard in what order, and how long before check-in that begins (minutes)."""
    said = draw(st.lists(WORDS, min_size=1, max_size=4))
    heard = draw(st.lists(st.integers(0, len(said) - 1), max_size=6))
    return said, heard, draw(st.sampled_from([2000, 90, 30, -60]))


def outcome(said: list[Word], heard: list[int], minutes: int, agreed: bool) -> dict[str, Any]:
    """The end of a story: the stay, its live jobs and what is on the doors, all of it undone afterwards."""
    with transaction.atomic(), time_machine_at(CHECK_IN - MINUTE * minutes) as clock:
        street = FakeDoors()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(doors, "provider_for", lambda _: street)
            units = [make_accommodation(external_id=name) for name in ("L1", "L2")]
            locks = [make_lock(unit) for unit in units]
            began = clock.now
            first = make_facts(units[0], external_id="a" * 24, short_id="EV1")
            stay = save_facts(first, facts_at=began - HOUR).reservation
            if agreed:
                set_times(stay, check_in=None, check_out=time(14), now=began, actor="maria")
            for index in heard:
                clock.until(clock.now + 3 * MINUTE)
                with suppress(UnknownListing):
                    save_facts(replace(first, **said[index]), facts_at=began - HOUR + MINUTE * (1 + index))
            clock.until(began + HOUR)
            with suppress(UnknownListing):  # the poll, which reads the last word
                save_facts(replace(first, **said[-1]), facts_at=began + HOUR)
            clock.until(LATEST_CHECK_IN + HOUR)  # a PIN that was there before the dates moved kept its digits till then
            row = Reservation.objects.get()
            jobs = Job.objects.filter(subject=row.subject, kind__startswith="locks.", state__in=Job.LIVE)
            entitled = row.is_confirmed()
            end = {
                "entitled": entitled,
                "stay": (row.status, row.accommodation.external_id, row.check_in_at, row.check_out_at)
                if entitled
                else None,
                "jobs": sorted(jobs.values_list("kind", "due_at")),
                "doors": [
                    [(held.window.starts_at, held.window.ends_at) for held in street.on(lock.device_id)]
                    for lock in locks
                ],
            }
        transaction.set_rollback(True)
    return end


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories(), agreed=st.booleans())
@example(
    (
        [
            {"status": "booked", "check_in_date": date(2026, 3, 6), "check_out_date": date(2026, 3, 9),
             "listing_id": "nobodys"},
            {"status": "booked", "check_in_date": date(2026, 3, 6), "check_out_date": date(2026, 3, 12),
             "listing_id": "L2"},
        ],
        [1, 0, 1], 30,
    ),
    False,
)  # fmt: skip
def test_whatever_was_heard_the_last_word_decides(story: tuple[list[Word], list[int], int], agreed: bool) -> None:
    said, heard, minutes = story
    assert not Accommodation.objects.exists()
    straight = outcome(said, list(range(len(said))), minutes, agreed)
    assert outcome(said, heard, minutes, agreed) == straight
    assert sum(map(len, straight["doors"])) <= 1
