"""A stay is found by each name that people and events use for it, and by nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from reservations.services import find, lookup
from tests.builders import make_accommodation, make_reservation

pytestmark = pytest.mark.django_db


def test_a_person_may_use_any_of_its_four_names() -> None:
    stay = make_reservation(external_id="69388e7b0000000000000001", short_id="EV23J", partner_code="HMABC")
    make_reservation()
    for name in ("69388e7b0000000000000001", "EV23J", "HMABC", str(stay.pk)):
        assert lookup(name) == stay


@pytest.mark.parametrize(
    "name", ["", " ", "nobody", "-1", "0", "9" * 30, "9" * 5000, "²", "1.0", "EV\x0023J", "x" * 5000]
)
def test_what_names_no_stay_finds_none(name: str) -> None:
    make_reservation(short_id="", partner_code="")
    assert lookup(name) is None
    if "\x00" not in name:
        assert find(name) is None


def test_a_name_of_the_source_comes_before_our_number() -> None:
    other = make_reservation()
    named = make_reservation(short_id=str(other.pk))
    assert lookup(str(other.pk)) == named


def test_a_short_id_that_was_given_twice_means_the_stay_that_came_last() -> None:
    unit = make_accommodation()
    make_reservation(unit, short_id="EV23J")
    newer = make_reservation(
        unit, short_id="EV23J", check_in_date=date(2026, 4, 6), check_out_date=date(2026, 4, 9)
    )  # fmt: skip
    assert find("EV23J") == newer
    assert lookup("EV23J") == newer


def test_events_do_not_find_what_was_entered_by_hand() -> None:
    stay = make_reservation(external_id="E1", short_id="S1")
    type(stay).objects.update(source="manual")
    assert find("E1") is None
    assert find("S1") is None
    assert find("E1", source="manual") == stay
