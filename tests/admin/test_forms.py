"""What a person enters goes through the services; what is wrong comes back as a sentence on the form."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from locks.models import AccommodationLock, Lock
from reservations.models import Accommodation, Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import make_accommodation, make_lock, make_reservation

pytestmark = pytest.mark.django_db
ADD = reverse("admin:reservations_reservation_add")
NO_LOCKS = {
    "accommodationlock_set-TOTAL_FORMS": "0", "accommodationlock_set-INITIAL_FORMS": "0",
    "accommodationlock_set-MIN_NUM_FORMS": "0", "accommodationlock_set-MAX_NUM_FORMS": "1000",
    "feeds-TOTAL_FORMS": "0", "feeds-INITIAL_FORMS": "0", "feeds-MIN_NUM_FORMS": "0", "feeds-MAX_NUM_FORMS": "1000",
}  # fmt: skip


def booking(unit: Accommodation, **over: Any) -> dict[str, Any]:
    today = clock.now().date()
    return {
        "accommodation": unit.pk, "status": "booked", "check_in_date": today + timedelta(days=2), "check_in_time": "",
        "check_out_date": today + timedelta(days=4), "check_out_time": "", "guest_name": "Ana Teste",
        "guest_language": "pt-BR", "guest_email": "ana@example.com", "guest_phone": "",
    } | over  # fmt: skip


def test_a_booking_by_hand_is_planned(operator: Client) -> None:
    unit = make_accommodation()
    make_lock(unit)
    assert operator.post(ADD, booking(unit)).status_code == 302
    stay = Reservation.objects.get()
    assert stay.source == Reservation.Source.MANUAL
    assert Job.objects.filter(subject=stay.subject).count() == 2
    assert AuditLog.objects.filter(action="reservation.created", actor="olga").exists()


def test_a_check_out_before_the_check_in_is_a_sentence_on_the_form(operator: Client) -> None:
    unit = make_accommodation()
    day = clock.now().date()
    response = operator.post(ADD, booking(unit, check_in_date=day, check_out_date=day))
    assert response.status_code == 200
    assert "is not after" in response.content.decode()
    assert not Reservation.objects.exists()


def test_what_is_impossible_is_said_in_the_operators_language(operator: Client) -> None:
    unit = make_accommodation()
    day = clock.now().date()
    for over, said in (
        ({"check_in_date": day, "check_out_date": day}, "não é depois do check-in"),
        ({"check_in_date": "31/12/1999"}, "1999-12-31 não é um dia para uma estadia"),
    ):
        response = operator.post(ADD, booking(unit, **over), headers={"accept-language": "pt-br"})
        assert said in response.content.decode()
    stay = make_reservation(unit, facts_at=clock.now(), check_in_date=day, check_out_date=day + timedelta(days=1))
    Reservation.objects.filter(pk=stay.pk).update(check_out_date=day)
    page = reverse("admin:reservations_reservation_set_times_here", args=[stay.pk])
    times = {"check_in": "12:00", "check_out": "11:00", "_form_submitted": "1"}
    operator.post(page, times, headers={"accept-language": "pt-br"})
    asked = reverse("admin:reservations_reservation_change", args=[stay.pk])
    assert "não é depois do check-in" in operator.get(asked).content.decode()


def test_nonsense_is_refused_without_an_error_page(operator: Client) -> None:
    unit = make_accommodation()
    for over in (
        {"check_in_date": "never"},
        {"accommodation": "999999"},
        {"guest_email": "ana"},
        {"status": "deleted"},
    ):
        assert operator.post(ADD, booking(unit, **over)).status_code == 200
    assert not Reservation.objects.exists()


def test_a_booking_by_hand_is_edited_and_its_jobs_move(operator: Client) -> None:
    unit = make_accommodation()
    make_lock(unit)
    operator.post(ADD, booking(unit))
    stay = Reservation.objects.get()
    page = reverse("admin:reservations_reservation_change", args=[stay.pk])
    later = clock.now().date() + timedelta(days=9)
    assert operator.post(page, booking(unit, check_out_date=later)).status_code == 302
    stay.refresh_from_db()
    assert stay.check_out_date == later
    assert Job.objects.get(subject=stay.subject, kind="locks.revoke_pin").due_at == stay.check_out_at


def test_what_stays_says_is_read_only(operator: Client) -> None:
    stay = make_reservation()
    page = reverse("admin:reservations_reservation_change", args=[stay.pk])
    assert 'name="guest_name"' not in operator.get(page).content.decode()
    assert operator.post(page, booking(stay.accommodation, guest_name="Other")).status_code == 403
    assert operator.post(reverse("admin:reservations_reservation_delete", args=[stay.pk])).status_code == 403


def unit_form(unit: Accommodation, **over: Any) -> dict[str, Any]:
    return {
        "name": unit.name, "external_id": unit.external_id, "short_id": "", "active": "on", "timezone": unit.timezone,
        "check_in_time": "15:00", "check_out_time": "11:00", "grace_minutes": "0",
    } | NO_LOCKS | over  # fmt: skip


def test_a_unit_in_another_zone_moves_its_stays(operator: Client) -> None:
    today = clock.now().date()
    stay = make_reservation(check_in_date=today + timedelta(days=2), check_out_date=today + timedelta(days=4))
    unit = stay.accommodation
    page = reverse("admin:reservations_accommodation_change", args=[unit.pk])
    assert operator.post(page, unit_form(unit, timezone="America/Manaus")).status_code == 302
    before = stay.check_in_at
    stay.refresh_from_db()
    assert stay.check_in_at == before + timedelta(hours=1)


def test_times_that_would_turn_a_stay_around_are_refused(operator: Client) -> None:
    day = clock.now().date() + timedelta(days=2)
    unit = make_accommodation(check_in_time="09:00", check_out_time="18:00")
    unit.refresh_from_db()
    make_reservation(unit, check_in_date=day, check_out_date=day, check_in_time=None, check_out_time=None)
    response = operator.post(reverse("admin:reservations_accommodation_change", args=[unit.pk]), unit_form(unit))
    assert response.status_code == 200
    assert "is not after" in response.content.decode()
    unit.reservations.update(status="canceled")  # who does not come any more stands in nobody's way
    assert operator.post(response.request["PATH_INFO"], unit_form(unit)).status_code == 302


def test_an_unknown_zone_and_a_taken_listing_are_refused(operator: Client) -> None:
    unit, other = make_accommodation(), make_accommodation()
    page = reverse("admin:reservations_accommodation_change", args=[unit.pk])
    assert operator.post(page, unit_form(unit, timezone="Mars/Olympus")).status_code == 200
    assert operator.post(page, unit_form(unit, external_id=other.external_id)).status_code == 200
    unit.refresh_from_db()
    assert unit.timezone == "America/Sao_Paulo"


def test_a_lock_that_is_linked_to_a_unit_plans_its_stays(boss: Client) -> None:
    today = clock.now().date()
    stay = make_reservation(check_in_date=today + timedelta(days=2), check_out_date=today + timedelta(days=4))
    assert not Job.objects.filter(subject=stay.subject, kind="locks.generate_pin").exists()
    form = {
        "name": "Porta", "provider": "tuya", "device_id": "abc123", "radio": "zigbee", "pin_length": "",
        "pin_digits": "0123456789", "capacity": "10", "lead_minutes": "", **NO_LOCKS,
        "accommodationlock_set-TOTAL_FORMS": "1", "accommodationlock_set-0-accommodation": stay.accommodation_id,
        "accommodationlock_set-0-id": "", "accommodationlock_set-0-lock": "",
    }  # fmt: skip
    response = boss.post(reverse("admin:locks_lock_add"), form)
    assert response.status_code == 302, response.content.decode()[:2000]
    assert AccommodationLock.objects.get().lock == Lock.objects.get()
    assert Job.objects.filter(subject=stay.subject, kind="locks.generate_pin").exists()
    assert AuditLog.objects.filter(action="lock.created", actor="boss").exists()
