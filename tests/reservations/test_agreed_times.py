"""Early check-in and late check-out for one stay: the operator's word stands, whatever the source says afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from reservations.errors import BadReservation
from reservations.models import Reservation
from reservations.services import save_accommodation, save_by_hand, save_facts, set_times
from reservations.signals import stays_overlap
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_reservation

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)


def test_an_agreed_time_moves_the_instants_and_is_written_down() -> None:
    stay = set_times(make_reservation(), check_in=time(12), check_out=time(13, 30), now=NOW, actor="maria")
    stay.refresh_from_db()
    assert stay.check_in_at == datetime(2026, 3, 6, 15, 0, tzinfo=UTC)
    assert stay.check_out_at == datetime(2026, 3, 9, 16, 30, tzinfo=UTC)
    assert (stay.agreed_by, stay.agreed_at) == ("maria", NOW)
    entry = AuditLog.objects.get(action="reservation.times_set")
    assert (entry.actor, entry.details) == ("maria", {"check_in": "12:00", "check_out": "13:30"})


def test_no_later_word_of_the_source_undoes_it() -> None:
    facts = make_facts(make_accommodation())
    stay = save_facts(facts, facts_at=NOW).reservation
    set_times(stay, check_in=time(12), check_out=None, now=NOW, actor="maria")
    save_facts(facts, facts_at=LATER)
    moved = replace(facts, check_in_date=date(2026, 3, 7), check_in_time=time(16), check_out_time=time(10))
    save_facts(moved, facts_at=LATER + timedelta(minutes=1))
    stay.refresh_from_db()
    assert stay.check_in_at == datetime(2026, 3, 7, 15, 0, tzinfo=UTC), "the new day, the agreed hour"
    assert stay.check_out_at == datetime(2026, 3, 9, 13, 0, tzinfo=UTC), "nothing was agreed about the check-out"
    assert stay.check_in_time == time(16), "what the source says is still known"


def test_it_holds_when_the_unit_or_the_stay_is_edited() -> None:
    unit = make_accommodation()
    stay = set_times(make_reservation(unit), check_in=time(12), check_out=None, now=NOW, actor="maria")
    unit.timezone = "America/Manaus"
    save_accommodation(unit, now=NOW, actor="maria")
    stay.refresh_from_db()
    assert stay.check_in_at == datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
    save_by_hand(stay, now=LATER, actor="maria")
    assert stay.check_in_at == datetime(2026, 3, 6, 16, 0, tzinfo=UTC)


def test_nothing_gives_the_times_back_to_the_source() -> None:
    stay = make_reservation()
    set_times(stay, check_in=time(12), check_out=time(13), now=NOW, actor="maria")
    set_times(stay, check_in=None, check_out=None, now=LATER, actor="maria")
    again = Reservation.objects.get()
    assert (again.check_in_at, again.check_out_at) == (stay.check_in_at, stay.check_out_at)


def test_times_that_cannot_be_are_refused_whole() -> None:
    day = date(2026, 3, 6)
    stay = make_reservation(check_in_date=day, check_out_date=day, check_out_time=time(18))
    with pytest.raises(BadReservation):
        set_times(stay, check_in=time(19), check_out=None, now=NOW, actor="maria")
    assert Reservation.objects.get().agreed_check_in_time is None


def test_an_agreement_that_new_dates_make_impossible_does_not_stop_them() -> None:
    facts = make_facts(make_accommodation())
    stay = save_facts(facts, facts_at=NOW).reservation
    set_times(stay, check_in=time(23), check_out=None, now=NOW, actor="maria")
    one_day = replace(facts, check_out_date=facts.check_in_date, check_out_time=time(20))
    save_facts(one_day, facts_at=LATER)
    stay.refresh_from_db()
    assert stay.check_in_at == datetime(2026, 3, 6, 18, 0, tzinfo=UTC)


def test_an_early_check_in_into_the_stay_before_is_a_double_booking() -> None:
    unit = make_accommodation()
    make_reservation(unit, check_in_date=date(2026, 3, 3), check_out_date=date(2026, 3, 6))
    stay = make_reservation(unit)
    heard: list[int] = []

    def hear(reservation: Reservation, **_: object) -> None:
        heard.append(reservation.pk)

    stays_overlap.connect(hear)
    try:
        set_times(stay, check_in=time(10), check_out=None, now=NOW, actor="maria")
    finally:
        stays_overlap.disconnect(hear)
    assert heard == [stay.pk]
