"""Our reservation becomes what its source last said, whatever came before and however often it is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from reservations.errors import BadReservation, UnknownListing
from reservations.facts import Guest
from reservations.models import Reservation
from reservations.services import save_facts
from reservations.signals import stays_overlap
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_reservation

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=5)
EARLIER = NOW - timedelta(minutes=5)


def test_a_new_stay_is_timed_by_its_units_clock() -> None:
    unit = make_accommodation(timezone="America/Manaus")
    saved = save_facts(make_facts(unit), facts_at=NOW)
    assert saved.created
    stay = Reservation.objects.get()
    assert stay.check_in_at == datetime(2026, 3, 6, 19, 0, tzinfo=UTC)
    assert stay.check_out_at == datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
    assert (stay.source, stay.status, stay.guest_email, stay.facts_at) == ("stays", "booked", "ana@example.com", NOW)


def test_times_that_are_not_told_are_the_units() -> None:
    unit = make_accommodation(check_in_time=time(16, 30), check_out_time=time(10, 15))
    stay = save_facts(make_facts(unit, check_in_time=None, check_out_time=None), facts_at=NOW).reservation
    assert stay.check_in_at == datetime(2026, 3, 6, 19, 30, tzinfo=UTC)
    assert stay.check_out_at == datetime(2026, 3, 9, 13, 15, tzinfo=UTC)
    assert stay.check_in_time is None


def test_the_same_facts_again_write_nothing_but_when_they_were_said() -> None:
    unit = make_accommodation()
    facts = make_facts(unit)
    save_facts(facts, facts_at=NOW)
    before = Reservation.objects.get()
    again = save_facts(facts, facts_at=LATER)
    after = Reservation.objects.get()
    assert (again.created, again.changed) == (False, ())
    assert (after.facts_at, after.updated_at) == (LATER, before.updated_at)
    assert AuditLog.objects.filter(subject=after.subject, action__startswith="reservation.").count() == 1


def test_older_facts_are_ignored() -> None:
    unit = make_accommodation()
    facts = make_facts(unit)
    save_facts(facts, facts_at=NOW)
    old = save_facts(replace(facts, status="canceled", check_out_date=date(2026, 3, 20)), facts_at=EARLIER)
    assert (old.created, old.changed) == (False, ())
    stay = Reservation.objects.get()
    assert (stay.status, stay.check_out_date, stay.facts_at) == ("booked", date(2026, 3, 9), NOW)


def test_newer_facts_change_what_is_different_and_name_it() -> None:
    unit = make_accommodation()
    facts = make_facts(unit)
    save_facts(facts, facts_at=NOW)
    saved = save_facts(replace(facts, check_out_date=date(2026, 3, 10)), facts_at=LATER)
    assert set(saved.changed) == {"check_out_date", "check_out_at"}
    assert Reservation.objects.get().check_out_at == datetime(2026, 3, 10, 14, 0, tzinfo=UTC)


def test_silence_erases_neither_a_time_nor_a_contact_nor_a_code() -> None:
    unit = make_accommodation()
    facts = make_facts(unit, partner_code="HMABC", check_in_time=time(18), check_out_time=time(9))
    save_facts(facts, facts_at=NOW)
    thin = replace(
        facts, check_in_time=None, check_out_time=None, guest=Guest(), short_id="", partner_code="", listing_id=""
    )
    assert save_facts(thin, facts_at=LATER).changed == ()
    stay = Reservation.objects.get()
    assert (stay.check_in_time, stay.check_out_time, stay.partner_code) == (time(18), time(9), "HMABC")
    assert (stay.guest_name, stay.guest_phone, stay.accommodation) == ("Ana Teste", "+5511900000000", unit)


def test_a_guest_who_moves_is_timed_by_the_new_units_clock() -> None:
    old, new = make_accommodation(), make_accommodation(timezone="America/Rio_Branco")
    facts = make_facts(old)
    save_facts(facts, facts_at=NOW)
    saved = save_facts(replace(facts, listing_id=new.external_id), facts_at=LATER)
    assert {"accommodation_id", "check_in_at", "check_out_at"} == set(saved.changed)
    stay = Reservation.objects.get()
    assert (stay.accommodation, stay.check_in_at) == (new, datetime(2026, 3, 6, 20, 0, tzinfo=UTC))


@pytest.mark.parametrize("listing", ["", "somebody-else's"])
def test_an_unmapped_listing_is_refused_and_nothing_is_written(listing: str) -> None:
    unit = make_accommodation()
    make_accommodation(external_id="")
    with pytest.raises(UnknownListing, match="goes through"):
        save_facts(make_facts(unit, listing_id=listing), facts_at=NOW)
    assert not Reservation.objects.exists()


def test_a_cancellation_counts_even_from_a_unit_that_is_not_mapped() -> None:
    facts = make_facts(make_accommodation())
    save_facts(facts, facts_at=NOW)
    save_facts(replace(facts, status="canceled", listing_id="not-mapped"), facts_at=LATER)
    assert Reservation.objects.get().status == "canceled"


@pytest.mark.parametrize(
    "times",
    [
        {"check_out_date": date(2026, 3, 5)},
        {"check_out_date": date(2026, 3, 6), "check_out_time": time(15)},
        {"check_out_date": date(2026, 3, 6), "check_out_time": time(11)},
        {"check_in_date": date(1, 1, 1)},
        {"check_out_date": date(9999, 12, 31), "check_out_time": time(23, 59)},
    ],
)
def test_times_that_cannot_be_are_refused_and_nothing_is_written(times: dict[str, Any]) -> None:
    unit = make_accommodation()
    with pytest.raises(BadReservation):
        save_facts(make_facts(unit, **times), facts_at=NOW)
    assert not Reservation.objects.exists()


def test_half_a_minute_is_a_stay() -> None:
    unit = make_accommodation()
    day = date(2026, 3, 6)
    facts = make_facts(unit, check_out_date=day, check_in_time=time(15, 0, 0), check_out_time=time(15, 0, 30))
    stay = save_facts(facts, facts_at=NOW).reservation
    assert stay.check_out_at - stay.check_in_at == timedelta(seconds=30)


def heard_overlaps(save: Any) -> list[tuple[int, list[int]]]:
    heard: list[tuple[int, list[int]]] = []

    def hear(reservation: Reservation, others: list[Reservation], **_: Any) -> None:
        heard.append((reservation.pk, [other.pk for other in others]))

    stays_overlap.connect(hear)
    try:
        save()
    finally:
        stays_overlap.disconnect(hear)
    return heard


def test_two_confirmed_stays_at_one_time_in_one_unit_are_told_of() -> None:
    unit = make_accommodation()
    first = make_reservation(unit)
    heard = heard_overlaps(
        lambda: make_reservation(unit, check_in_date=date(2026, 3, 8), check_out_date=date(2026, 3, 12))
    )
    second = Reservation.objects.exclude(pk=first.pk).get()
    assert heard == [(second.pk, [first.pk])]


def test_a_double_booking_of_which_one_is_over_is_nobodys_trouble() -> None:
    unit = make_accommodation()
    make_reservation(unit, check_in_date=date(2026, 2, 20), check_out_date=date(2026, 3, 8))
    past: dict[str, Any] = {"check_in_date": date(2026, 2, 25), "check_out_date": date(2026, 3, 4)}
    assert heard_overlaps(lambda: make_reservation(unit, **past)) == []
    long: dict[str, Any] = {
        "check_in_date": date(2026, 2, 1),
        "check_out_date": date(2026, 2, 25),
        "facts_at": NOW - timedelta(days=20),
    }
    assert len(heard_overlaps(lambda: make_reservation(unit, **long))) == 1, "it was not over at that time"


@pytest.mark.parametrize(
    "second",
    [
        {"check_in_date": date(2026, 3, 9), "check_out_date": date(2026, 3, 12)},
        {"status": "reserved"}, {"status": "blocked"}, {"status": "canceled"},
    ],
)  # fmt: skip
def test_back_to_back_and_unconfirmed_stays_are_no_overlap(second: dict[str, Any]) -> None:
    unit = make_accommodation()
    make_reservation(unit)
    make_reservation()
    assert heard_overlaps(lambda: make_reservation(unit, **second)) == []


def test_the_audit_trail_names_fields_and_never_the_guest() -> None:
    unit = make_accommodation()
    facts = make_facts(unit)
    save_facts(facts, facts_at=NOW, actor="webhook")
    guest = Guest("Bia Outra", "bia@example.com", "+5511911111111", "en")
    save_facts(replace(facts, guest=guest, check_out_date=date(2026, 3, 10)), facts_at=LATER, actor="sync")
    created, changed = AuditLog.objects.filter(action__startswith="reservation.").order_by("id")
    assert (created.action, created.actor, changed.action, changed.actor) == (
        "reservation.created", "webhook", "reservation.changed", "sync",
    )  # fmt: skip
    assert changed.details == {"fields": ["check_out_date", "check_out_at"], "status": "booked"}
    told = repr(list(AuditLog.objects.values()))
    for word in ("Ana", "Bia", "example.com", "+5511"):
        assert word not in told


def test_a_stay_known_by_its_short_id_alone_is_the_same_stay() -> None:
    unit = make_accommodation()
    facts = make_facts(unit, short_id="EV23J")
    first = save_facts(facts, facts_at=NOW).reservation
    again = save_facts(replace(facts, external_id="EV23J", status="canceled"), facts_at=LATER)
    assert (again.created, again.reservation.pk) == (False, first.pk)
    assert Reservation.objects.get().external_id == facts.external_id
