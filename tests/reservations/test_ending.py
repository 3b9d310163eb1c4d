"""A stay that was cancelled or is gone at its source keeps its row and loses its claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from reservations.models import Reservation
from reservations.services import end, save_facts
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_reservation

pytestmark = pytest.mark.django_db


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize("status", ["canceled", "deleted"])
def test_an_end_is_written_once_with_its_actor(status: str) -> None:
    stay = make_reservation()
    assert end(stay, status, facts_at=NOW + minutes(1), actor="webhook")
    assert not end(stay, status, facts_at=NOW + minutes(2), actor="webhook")
    assert Reservation.objects.get().status == status
    entry = AuditLog.objects.get(action=f"reservation.{status}")
    assert (entry.actor, entry.subject) == ("webhook", stay.subject)


def test_newer_facts_stand_against_an_older_end() -> None:
    stay = make_reservation(facts_at=NOW)
    assert not end(stay, "canceled", facts_at=NOW - minutes(1))
    assert Reservation.objects.get().status == "booked"


def test_an_end_that_is_told_again_later_outdates_what_was_said_in_between() -> None:
    facts = make_facts(make_accommodation())
    stay = save_facts(facts, facts_at=NOW).reservation
    end(stay, "canceled", facts_at=NOW + minutes(1))
    end(stay, "canceled", facts_at=NOW + minutes(5))
    save_facts(facts, facts_at=NOW + minutes(3))
    assert Reservation.objects.get().status == "canceled"


def test_a_later_word_of_the_source_brings_a_stay_back() -> None:
    facts = make_facts(make_accommodation())
    stay = save_facts(facts, facts_at=NOW).reservation
    end(stay, "deleted", facts_at=NOW + minutes(1))
    save_facts(replace(facts, status="contract"), facts_at=NOW + minutes(2))
    assert Reservation.objects.get().status == "contract"


def test_a_stale_object_in_hand_overwrites_nothing() -> None:
    facts = make_facts(make_accommodation())
    stale = save_facts(facts, facts_at=NOW).reservation
    save_facts(replace(facts, short_id="NEW1A"), facts_at=NOW + minutes(1))
    end(stale, "canceled", facts_at=NOW + minutes(2))
    assert Reservation.objects.get().short_id == "NEW1A"
