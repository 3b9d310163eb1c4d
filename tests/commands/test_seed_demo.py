"""The demo: enough to look at, harmless to repeat, and careful with what is not its own."""

from __future__ import annotations

from datetime import time

import pytest
from django.conf import LazySettings

from locks import planning
from locks.fallback_rows import Fallback
from locks.holders import with_fallback
from locks.models import AccommodationLock, Credential, Lock, LockReport
from notifications import letters
from notifications.models import Message
from notifications.outlook import look
from reservations import services
from reservations.models import Accommodation, Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock import demo
from smartlock.audit.models import AuditLog
from smartlock.demo_tonight import SCENES
from smartlock.tonight.board import arrivals, departures
from smartlock.tonight.chain import Light, Mend, Step
from tests.builders import make_accommodation, make_reservation
from tests.commands.run import run
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db


def test_it_makes_at_least_what_was_promised() -> None:
    assert run("seed_demo").code == 0
    assert Accommodation.objects.count() >= 3
    assert Accommodation.objects.filter(active=False).count() == 1
    assert Lock.objects.count() == AccommodationLock.objects.count() == 3 + len(SCENES)
    statuses = set(Reservation.objects.values_list("status", flat=True))
    assert {"booked", "reserved", "canceled"} <= statuses
    assert Credential.objects.count() >= 2
    assert WebhookEvent.objects.count() == 2
    assert AuditLog.objects.count() >= 2
    assert Job.objects.filter(state=Job.State.SCHEDULED).count() >= 6


def test_the_guest_with_a_backup_pin_can_be_written_to_again() -> None:
    """Whoever plays with the demo moves its times, and a letter says from when to when each code opens."""
    run("seed_demo")
    rows = with_fallback(Reservation.objects.select_related("accommodation"))
    stay = rows.get(fallbacks__kind=Fallback.Kind.BACKUP)
    later = time(23, 58)
    services.set_times(stay, check_in=stay.check_in_time, check_out=later, now=clock.now(), actor="test")
    stay = rows.get(pk=stay.pk)
    outlook = look(stay, now=clock.now())
    assert outlook.held
    assert letters.guest_letter(outlook, "en").subject


def test_nobody_is_in_house_at_the_doors_of_the_sandbox() -> None:
    run("seed_demo")
    now = clock.now()
    inside = Reservation.objects.filter(check_in_at__lte=now, check_out_at__gte=now)
    assert inside.exists()
    assert not inside.filter(accommodation__external_id__in=[unit.listing_id for unit in demo.UNITS]).exists()


def test_tonight_shows_a_newcomer_everything_that_may_happen() -> None:
    run("seed_demo")
    now = clock.now()
    coming = {one.stay.guest_name: one.chain for one in arrivals(now)}
    going = {one.stay.guest_name: one.removal for one in departures(now)}
    assert coming["Helena Martins"].worst is Light.GREEN
    assert coming["Daniel Prado"].worst is Light.LATER
    assert coming["Caio Ferreira"].of(Step.PROVEN).mend is Mend.WAKE
    assert coming["Grace Miller"].of(Step.ACCEPTED).light is Light.RED
    assert "another code" in coming["Pedro Nogueira"].of(Step.BACKUP).text
    assert coming["Claire Dubois"].of(Step.LOCK).light is Light.AMBER
    assert coming["Bruno Batista"].of(Step.MESSAGE).mend is Mend.RETRY
    assert coming["Marta Ruiz"].of(Step.USE).light is Light.GREEN
    assert (going["Noah Becker"].light, going["Noah Becker"].mend) == (Light.RED, Mend.RUN_NOW)
    assert (going["Bruna Alves"].light, going["Bruna Alves"].minutes) == (Light.GREEN, 16)
    assert Job.objects.filter(state=Job.State.FAILED, attempts__traceback__contains="Traceback").exists()
    assert WebhookEvent.objects.filter(state=WebhookEvent.State.PARKED).exists()
    assert LockReport.objects.filter(foreign=1).exists()


def test_the_planner_leaves_the_scenes_as_they_are() -> None:
    run("seed_demo")
    for stay in Reservation.objects.filter(external_id__startswith="demo-tonight"):
        before = list(Job.objects.filter(subject=stay.subject, state__in=Job.LIVE).values_list("kind", "run_at"))
        planning.replan(stay.pk, now=clock.now())
        after = list(Job.objects.filter(subject=stay.subject, state__in=Job.LIVE).values_list("kind", "run_at"))
        assert set(before) <= set(after), stay.guest_name


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
    assert Reservation.objects.count() == len(demo.STAYS) + len(SCENES) + 1


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
    assert Accommodation.objects.count() == 5 + len(SCENES)


@pytest.mark.parametrize("url", ["us", "https://openapi.tuyaus.com", "http://10.0.0.7:8100"])
def test_it_keeps_off_real_locks(settings: LazySettings, url: str) -> None:
    settings.TUYA_BASE_URL = url
    answer = run("seed_demo")
    assert answer.code == 2
    assert not Reservation.objects.exists()
