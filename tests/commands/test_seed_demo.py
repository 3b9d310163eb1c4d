"""The demo: enough to look at, harmless to repeat, and careful with what is not its own."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from locks.models import AccommodationLock, Credential, Lock
from notifications.models import Message
from reservations.models import Accommodation, Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock import demo
from smartlock.audit.models import AuditLog
from tests.builders import make_accommodation, make_reservation
from tests.commands.run import run
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db


def test_it_makes_at_least_what_was_promised() -> None:
    assert run("seed_demo").code == 0
    assert Accommodation.objects.count() >= 3
    assert Accommodation.objects.filter(active=False).count() == 1
    assert Lock.objects.count() == AccommodationLock.objects.count() == 3
    statuses = set(Reservation.objects.values_list("status", flat=True))
    assert {"booked", "reserved", "canceled"} <= statuses
    assert Credential.objects.count() >= 2
    assert WebhookEvent.objects.count() == 2
    assert AuditLog.objects.count() >= 2
    assert Job.objects.filter(state=Job.State.SCHEDULED).count() == 6
    assert not Job.objects.filter(state=Job.State.FAILED).exists()


def test_nobody_of_it_is_in_house_now() -> None:
    run("seed_demo")
    now = clock.now()
    assert not Reservation.objects.filter(check_in_at__lte=now, check_out_at__gte=now).exists()


def test_repeating_it_changes_nothing() -> None:
    run("seed_demo")
    before = demo.counts()
    assert "nothing" in run("seed_demo").out
    assert demo.counts() == before


def test_reset_starts_anew_and_leaves_stays_of_others() -> None:
    run("seed_demo")
    first = set(Reservation.objects.values_list("pk", flat=True))
    told = Reservation.objects.get(external_id="demo-04")
    Message.objects.create(reservation=told, template="pin_ready", to="a@example.com", language="en", knows={})
    guest = make_reservation(Accommodation.objects.get(external_id=demo.PINHEIROS))
    assert run("seed_demo", "--reset").code == 0
    assert Reservation.objects.filter(pk=guest.pk).exists()
    assert not Reservation.objects.filter(pk__in=first).exists()
    assert Reservation.objects.count() == len(demo.STAYS) + 1


def test_a_demo_pin_on_a_door_is_taken_off_before_its_stay_is_forgotten() -> None:
    run("seed_demo")
    stay = Reservation.objects.get(external_id="demo-03")
    Credential.objects.create(
        reservation=stay, lock=Lock.objects.get(accommodations=stay.accommodation_id), name="SL x", pin_fingerprint="f",
        starts_at=stay.check_in_at, ends_at=stay.check_out_at, state=Credential.State.ON_LOCK, provider_ref="9",
    )  # fmt: skip
    assert "removal is planned" in run("seed_demo", "--reset").out
    stay.refresh_from_db()
    assert stay.status == Reservation.Status.CANCELED
    assert Job.objects.filter(subject=stay.subject, kind="locks.revoke_pin", run_at__lte=clock.now()).exists()


def test_scripts_are_told_the_same_as_json() -> None:
    first = run("seed_demo", "--json").json
    assert first["made"]["reservations"] > 0
    assert not first["removed"]
    again = run("seed_demo", "--reset", "--json").json
    assert again["removed"]["reservations"] == again["made"]["reservations"] == first["made"]["reservations"]


def test_it_keeps_off_a_database_with_other_data() -> None:
    make_accommodation()
    answer = run("seed_demo")
    assert answer.code == 1
    assert Accommodation.objects.count() == 1
    assert run("seed_demo", "--reset").code == 0
    assert Accommodation.objects.count() == 1
    assert run("seed_demo", "--force").code == 0
    assert Accommodation.objects.count() == 5


@pytest.mark.parametrize("url", ["us", "https://openapi.tuyaus.com", "http://10.0.0.7:8100"])
def test_it_keeps_off_real_locks(settings: LazySettings, url: str) -> None:
    settings.TUYA_BASE_URL = url
    answer = run("seed_demo")
    assert answer.code == 2
    assert not Reservation.objects.exists()
