"""Moved to a listing that nobody mapped: the claim to the old unit ends at once, and the mapping brings a new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reservations.errors import UnknownListing
from reservations.models import Listing, Reservation
from reservations.services import save_accommodation, save_facts, unit_of
from reservations.signals import listing_unknown, listings_mapped
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def heard(signal: Any, do: Any) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []

    def hear(**words: Any) -> None:
        told.append(words)

    signal.connect(hear)
    try:
        do()
    finally:
        signal.disconnect(hear)
    return told


def moved_away() -> tuple[Any, Reservation]:
    facts = make_facts(make_accommodation())
    stay = save_facts(facts, facts_at=NOW).reservation
    away = replace(facts, listing_id="nobodys")
    with pytest.raises(UnknownListing):
        save_facts(away, facts_at=LATER)
    stay.refresh_from_db()
    return away, stay


def test_the_stay_loses_its_claim_and_says_where_it_went() -> None:
    _facts, stay = moved_away()
    assert (stay.status, stay.unmapped_listing, stay.facts_at) == ("booked", "nobodys", LATER)
    assert not stay.is_confirmed()
    assert AuditLog.objects.get(action="reservation.left_unit").details["listing"] == "nobodys"


def test_a_person_is_told_of_it_also_for_a_new_stay() -> None:
    assert [told["reservation"].pk for told in heard(listing_unknown, moved_away)] == [Reservation.objects.get().pk]

    def new() -> None:
        with pytest.raises(UnknownListing):
            save_facts(make_facts(make_accommodation(), listing_id="other"), facts_at=NOW)

    assert [(told["listing_id"], told["reservation"]) for told in heard(listing_unknown, new)] == [("other", None)]


def test_told_again_it_changes_nothing_and_older_news_do_not_count() -> None:
    facts, stay = moved_away()
    with pytest.raises(UnknownListing):
        save_facts(facts, facts_at=LATER + timedelta(minutes=1))
    assert save_facts(replace(facts, listing_id=stay.accommodation.external_id), facts_at=NOW).changed == ()
    assert AuditLog.objects.filter(action="reservation.left_unit").count() == 1
    with pytest.raises(UnknownListing):
        save_facts(replace(facts, status="canceled", listing_id="nobodys", external_id="new"), facts_at=LATER)
    stay.refresh_from_db()
    assert stay.facts_at == LATER + timedelta(minutes=1)


@pytest.mark.parametrize("child", [False, True])
def test_the_mapping_brings_it_into_the_new_unit(child: bool) -> None:
    facts, stay = moved_away()
    new = make_accommodation(external_id="" if child else "nobodys")
    if child:
        Listing.objects.create(external_id="nobodys", accommodation=new, seen_at=NOW)
    save_facts(facts, facts_at=LATER + timedelta(minutes=1))
    stay.refresh_from_db()
    assert (stay.accommodation, stay.unmapped_listing, stay.is_confirmed()) == (new, "", True)


def test_back_in_a_unit_we_know_all_is_as_it_was() -> None:
    facts, stay = moved_away()
    save_facts(replace(facts, listing_id=stay.accommodation.external_id), facts_at=LATER + timedelta(minutes=1))
    stay.refresh_from_db()
    assert stay.is_confirmed()


def test_a_word_that_names_no_listing_leaves_it_where_it_went() -> None:
    facts, stay = moved_away()
    save_facts(replace(facts, listing_id=""), facts_at=LATER + timedelta(minutes=1))
    stay.refresh_from_db()
    assert stay.unmapped_listing == "nobodys"


def test_a_unit_that_gets_a_listing_is_announced_once() -> None:
    unit = make_accommodation(external_id="")
    unit.external_id = "L9"
    told = heard(listings_mapped, lambda: save_accommodation(unit, now=NOW, actor="maria"))
    assert [words["listing_ids"] for words in told] == [["L9"]]
    assert heard(listings_mapped, lambda: save_accommodation(unit, now=NOW, actor="maria")) == []
    assert unit_of("L9") == unit
    assert unit_of("") is None
