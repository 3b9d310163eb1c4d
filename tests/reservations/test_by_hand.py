"""What a person enters: a stay of their own, and a unit whose clock or times change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from reservations.errors import BadReservation
from reservations.models import Accommodation, Reservation
from reservations.services import ENDED, save_accommodation, save_by_hand, save_facts
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_reservation

pytestmark = pytest.mark.django_db


def typed(unit: Accommodation, **over: object) -> Reservation:
    values = {"status": "booked", "check_in_date": date(2026, 3, 6), "check_out_date": date(2026, 3, 9)} | over
    return Reservation(accommodation=unit, guest_name="Ana Teste", **values)


def test_a_stay_entered_by_hand_gets_a_name_of_its_own_and_the_units_times() -> None:
    stay = save_by_hand(typed(make_accommodation(timezone="America/Noronha")), now=NOW, actor="maria")
    assert stay.source == "manual"
    assert stay.external_id.startswith("manual-")
    assert stay.check_in_at == datetime(2026, 3, 6, 17, 0, tzinfo=UTC)
    assert stay.check_out_at == datetime(2026, 3, 9, 13, 0, tzinfo=UTC)
    assert AuditLog.objects.get(action="reservation.created").actor == "maria"


def test_two_stays_entered_by_hand_are_two_stays() -> None:
    unit = make_accommodation()
    first, second = (save_by_hand(typed(unit), now=NOW, actor="maria") for _ in range(2))
    assert first.external_id != second.external_id


def test_an_edit_moves_the_instants_and_outdates_what_the_source_said_before() -> None:
    unit = make_accommodation()
    facts = make_facts(unit)
    stay = save_facts(facts, facts_at=NOW).reservation
    stay.check_in_time = time(13)
    save_by_hand(stay, now=NOW + timedelta(hours=1), actor="maria")
    save_facts(facts, facts_at=NOW + timedelta(minutes=30))
    kept = Reservation.objects.get()
    assert (kept.source, kept.check_in_at) == ("stays", datetime(2026, 3, 6, 16, 0, tzinfo=UTC))
    assert AuditLog.objects.get(action="reservation.edited").subject == stay.subject


@pytest.mark.parametrize("day", [date(2026, 3, 6), date(2026, 3, 1), date(9999, 12, 31)])
def test_a_stay_that_cannot_be_is_refused_and_not_written(day: date) -> None:
    with pytest.raises(BadReservation):
        save_by_hand(typed(make_accommodation(), check_out_date=day), now=NOW, actor="maria")
    assert not Reservation.objects.exists()


def test_new_times_of_a_unit_move_the_stays_that_rely_on_them() -> None:
    unit = make_accommodation()
    relying = make_reservation(unit, check_in_time=None, check_out_time=None)
    own = make_reservation(unit, check_in_date=date(2026, 4, 6), check_out_date=date(2026, 4, 9))
    unit.check_in_time, unit.check_out_time = time(16), time(10)
    assert save_accommodation(unit, now=NOW, actor="maria") == 1
    relying.refresh_from_db()
    assert relying.check_in_at == datetime(2026, 3, 6, 19, 0, tzinfo=UTC)
    assert relying.check_out_at == datetime(2026, 3, 9, 13, 0, tzinfo=UTC)
    assert Reservation.objects.get(pk=own.pk).check_in_at == own.check_in_at
    entry = AuditLog.objects.get(action="accommodation.saved")
    assert (entry.actor, entry.details) == ("maria", {"stays_moved": 1})


def test_another_zone_moves_all_stays_that_are_not_over() -> None:
    unit = make_accommodation()
    over = make_reservation(unit, check_in_date=date(2026, 2, 1), check_out_date=date(2026, 2, 3))
    coming = make_reservation(unit)
    unit.timezone = "America/Manaus"
    assert save_accommodation(unit, now=NOW, actor="maria") == 1
    assert Reservation.objects.get(pk=coming.pk).check_in_at - coming.check_in_at == timedelta(hours=1)
    assert Reservation.objects.get(pk=over.pk).check_in_at == over.check_in_at


def test_times_that_would_turn_a_stay_round_are_refused_whole() -> None:
    unit = make_accommodation()
    day = date(2026, 3, 6)
    make_reservation(unit, check_in_time=None, check_out_date=day, check_out_time=time(18))
    unit.check_in_time = time(19)
    with pytest.raises(BadReservation, match=r"EV\d+J.*is not after"):
        save_accommodation(unit, now=NOW, actor="maria")
    assert Accommodation.objects.get().check_in_time == time(15)


@pytest.mark.parametrize("status", ENDED)
def test_who_does_not_come_any_more_stands_in_no_units_way(status: str) -> None:
    unit = make_accommodation()
    day = date(2026, 3, 6)
    gone = make_reservation(unit, check_in_time=None, check_out_date=day, check_out_time=time(18), status=status)
    unit.check_in_time = time(19)
    assert save_accommodation(unit, now=NOW, actor="maria") == 0
    assert Accommodation.objects.get().check_in_time == time(19)
    assert Reservation.objects.get(pk=gone.pk).check_in_at == gone.check_in_at
