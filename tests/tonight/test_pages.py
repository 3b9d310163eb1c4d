"""The first page and a stay's page: who sees what, which button mends what, in a fixed number of queries."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.formats import date_format

from locks import planning, sealing
from locks.models import Credential, Lock, LockEvent, LockIncident, Opening
from notifications.models import Message
from notifications.outlook import look
from notifications.planning import TELL_GUEST
from reservations.models import Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from smartlock.tonight import gather
from smartlock.tonight.board import arrivals, departures
from smartlock.tonight.chain import Light, Step, chain
from tests.builders import make_accommodation, make_lock, make_reservation

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
TIME = r'<time class="sl-time" datetime="([^"]+)"'


def make_arrival(at: datetime, *, proven: bool = True) -> Reservation:
    """A guest who comes at that moment, to a door of her own."""
    unit = make_accommodation(timezone="UTC")
    lock = make_lock(unit, heard_at=clock.now(), online=True)
    stay = make_reservation(
        unit, facts_at=clock.now(), check_in_date=at.date(), check_in_time=at.time().replace(second=0, microsecond=0),
        check_out_date=at.date() + timedelta(days=2),
    )  # fmt: skip
    if proven:
        make_pin(stay, lock)
    return stay


def make_pin(stay: Reservation, lock: Lock) -> Credential:
    return Credential.objects.create(
        reservation=stay, lock=lock, name=f"SL {stay.pk}", pin_fingerprint=sealing.fingerprint(f"820371{stay.pk}"),
        pin_sealed=sealing.seal("8203714"), provider_ref=str(stay.pk), state=Credential.State.ON_LOCK,
        starts_at=stay.check_in_at, ends_at=stay.check_out_at, asked_starts_at=stay.check_in_at,
        asked_ends_at=stay.check_out_at, lock_starts_at=stay.check_in_at, lock_ends_at=stay.check_out_at,
        asked_at=clock.now(), proven_at=clock.now(),
    )  # fmt: skip


def press(client: Client, stay: Reservation, verb: str) -> int:
    url = reverse(f"admin:reservations_reservation_{verb}_here", args=[stay.pk])
    return client.post(url, {"_form_submitted": "1"}).status_code


def test_the_worst_comes_first_and_then_who_comes_first() -> None:
    now = clock.now()
    late, soon = make_arrival(now + 20 * HOUR), make_arrival(now + 2 * HOUR)
    missing = make_arrival(now + 10 * HOUR, proven=False)
    Job.objects.filter(subject=missing.subject).delete()
    rows = arrivals(now)
    assert [row.stay.pk for row in rows] == [missing.pk, soon.pk, late.pk]
    assert rows[0].chain.of(Step.CHOSEN).light is Light.RED


def test_an_arrival_after_the_next_36_hours_is_not_tonight() -> None:
    make_arrival(clock.now() + 60 * HOUR)
    assert arrivals(clock.now()) == []


def test_the_number_that_matters_is_on_top(boss: Client) -> None:
    make_arrival(clock.now() + 3 * HOUR)
    make_arrival(clock.now() + 5 * HOUR, proven=False)
    page = boss.get(reverse("tonight")).content.decode()
    assert "1 of 2 arrivals proven" in page
    assert 'id="sl-tonight"' in page


def test_the_script_speaks_the_language_of_the_page(boss: Client) -> None:
    make_arrival(clock.now() + 3 * HOUR)
    page = boss.get(reverse("admin:index"), headers={"accept-language": "pt-br"}).content.decode()
    assert 'data-since="há %(time)s"' in page
    assert 'data-good="Atualizado às %(time)s"' in page


def test_a_check_in_that_is_over_is_so_long_ago(boss: Client) -> None:
    make_arrival(clock.now() - 3 * HOUR)
    page = boss.get(reverse("admin:index")).content.decode()
    assert re.search(r'class="sl-countdown"[^>]*>3 h 0\d min ago<', page)
    assert 'data-since="%(time)s ago"' in page


def test_the_renewed_part_is_as_closed_as_the_page(client: Client, newcomer: Client) -> None:
    assert client.get(reverse("tonight")).status_code == 302
    assert newcomer.get(reverse("tonight")).status_code == 403


def test_tonight_takes_as_many_queries_for_twelve_arrivals_as_for_two(boss: Client) -> None:
    now = clock.now()
    for number in range(2):
        make_arrival(now + (number + 1) * HOUR, proven=bool(number))
    few = queries(boss, reverse("tonight"))
    for number in range(10):
        make_arrival(now + (number + 3) * HOUR, proven=bool(number % 2))
    assert queries(boss, reverse("tonight")) == few


def queries(client: Client, page: str) -> int:
    client.get(page)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page).status_code == 200
    return len(captured)


def test_a_pin_that_stayed_behind_is_told_with_its_minutes() -> None:
    now = clock.now()
    stay = make_arrival(now + 2 * HOUR)
    Reservation.objects.filter(pk=stay.pk).update(check_in_at=now - 50 * HOUR, check_out_at=now - 40 * HOUR)
    Credential.objects.filter(reservation=stay).update(
        starts_at=now - 50 * HOUR, ends_at=now - 2 * HOUR, asked_starts_at=None, asked_ends_at=None
    )
    (row,) = departures(now)
    assert (row.stay.pk, row.removal.light, row.removal.minutes) == (stay.pk, Light.RED, 120)


def test_who_may_not_act_finds_a_way_to_the_stay_instead_of_a_button(boss: Client, newcomer: Client) -> None:
    stay = make_arrival(clock.now() + 10 * HOUR, proven=False)
    Job.objects.filter(subject=stay.subject).delete()
    User.objects.get(username="nina").groups.add(Group.objects.get(name="viewer"))
    button = reverse("admin:reservations_reservation_replan_here", args=[stay.pk])
    assert button in boss.get(reverse("tonight")).content.decode()
    seen = newcomer.get(reverse("tonight")).content.decode()
    assert stay.guest_name in seen
    assert button not in seen


def test_run_now_never_takes_a_guests_pin_early(boss: Client) -> None:
    stay = make_arrival(clock.now() + 10 * HOUR, proven=False)
    before = dict(Job.objects.filter(subject=stay.subject).values_list("kind", "run_at"))
    press(boss, stay, "run_now")
    after = dict(Job.objects.filter(subject=stay.subject).values_list("kind", "run_at"))
    assert after["locks.revoke_pin"] == before["locks.revoke_pin"]
    assert after["locks.generate_pin"] < before["locks.generate_pin"]


def test_a_new_pin_gives_up_the_old_one_and_plans_another(boss: Client) -> None:
    stay = make_arrival(clock.now() + HOUR / 2)
    press(boss, stay, "new_pin")
    assert not Credential.objects.get(reservation=stay).wanted
    live = Job.objects.filter(subject=stay.subject, state__in=Job.LIVE).values_list("kind", flat=True)
    assert {"locks.generate_pin", "locks.revoke_pin"} <= set(live)
    assert AuditLog.objects.filter(action="pins.renewed", subject=stay.subject, actor="boss").exists()


def test_what_was_told_is_told_again_when_an_operator_wants_it(boss: Client) -> None:
    stay, now = make_arrival(clock.now() + HOUR), clock.now()
    outlook = look(stay, now=now)
    Job.objects.filter(subject=stay.subject, kind=TELL_GUEST).delete()
    Message.objects.create(
        reservation=stay, template="pin_ready", to=stay.guest_email, language="pt-br", state="sent", sent_at=now,
        knows=outlook.knows.as_json(),
    )  # fmt: skip
    assert look(stay, now=now).template is None
    press(boss, stay, "resend")
    assert look(stay, now=now).template is not None
    assert Job.objects.filter(subject=stay.subject, kind=TELL_GUEST, state=Job.State.SCHEDULED).count() == 1


def test_a_viewer_may_press_none_of_the_buttons(newcomer: Client) -> None:
    stay = make_arrival(clock.now() + HOUR)
    User.objects.get(username="nina").groups.add(Group.objects.get(name="viewer"))
    for verb in ("retry_jobs", "run_now", "new_pin", "resend", "replay"):
        assert press(newcomer, stay, verb) == 403, verb
    assert Credential.objects.get(reservation=stay).wanted


def test_a_stays_page_judges_the_last_wrong_pin_and_tells_its_history(boss: Client) -> None:
    now = clock.now()
    stay = make_arrival(now - HOUR)
    pin = Credential.objects.get(reservation=stay)
    Credential.objects.filter(pk=pin.pk).update(proven_at=now - 2 * HOUR)
    LockEvent.objects.create(lock=pin.lock, at=now - HOUR / 2, kind=LockEvent.Kind.WRONG_PIN, recorded_at=now)
    page = boss.get(reverse("admin:reservations_reservation_change", args=[stay.pk])).content.decode()
    assert "heard a wrong PIN" in page
    assert "O teclado recebeu outros dígitos." in page
    assert "The keypad heard other digits." in page
    Opening.objects.create(
        lock=pin.lock, at=now - HOUR / 3, method="temporary", credential=pin, who=Opening.Who.GUEST, matched_by="ref",
        recorded_at=now,
    )  # fmt: skip
    asked = f"{now - HOUR / 3:%Y-%m-%dT%H:%M}"
    page = boss.get(reverse("admin:reservations_reservation_change", args=[stay.pk]), {"why": asked}).content.decode()
    assert "it works." in page
    assert page.index("lock_open") < page.index("report")


def test_the_history_of_a_stay_with_several_doors_says_which(boss: Client) -> None:
    stay = make_arrival(clock.now() + 9 * HOUR, proven=False)
    page = reverse("admin:reservations_reservation_change", args=[stay.pk])
    assert "Put the PIN on the door</a>" in boss.get(page).content.decode()
    make_lock(stay.accommodation, name="Garden gate")
    planning.replan(stay.pk, now=clock.now())
    history = boss.get(page).content.decode()
    assert "Put the PIN on the door: Garden gate</a>" in history
    assert "Take the PIN off the door: Garden gate</a>" in history


def test_a_pin_that_comes_in_weeks_says_on_which_day(boss: Client) -> None:
    stay = make_arrival((clock.now() + timedelta(days=400)).replace(hour=12), proven=False)
    day = date_format(stay.check_in_at, "j M Y")
    page = boss.get(reverse("admin:reservations_reservation_change", args=[stay.pk])).content.decode()
    assert f"planned for {day}" in page
    assert f"It is chosen when its time comes. {day}" in page


def test_a_stays_page_shows_a_change_on_its_way_from_when_to_when(boss: Client) -> None:
    stay = make_arrival(clock.now() + HOUR)
    pin = Credential.objects.get(reservation=stay)
    address = reverse("admin:reservations_reservation_change", args=[stay.pk])
    later = pin.ends_at + timedelta(days=1)
    assert "becomes" not in boss.get(address).content.decode()
    Credential.objects.filter(pk=pin.pk).update(ends_at=later)
    text = boss.get(address).content.decode()
    before, becomes, after = text.partition("becomes")
    assert becomes
    assert re.findall(TIME, before)[-2:] == [pin.starts_at.isoformat(), pin.ends_at.isoformat()]
    assert re.findall(TIME, after)[:2] == [pin.starts_at.isoformat(), later.isoformat()]
    assert "The lock still has the times from before the change." in text


@pytest.mark.parametrize(("off", "light"), [(-180, Light.RED), (None, Light.RED), (60, Light.AMBER)])
def test_a_clock_that_seems_wrong_is_seen_before_the_guest_comes(off: int | None, light: Light) -> None:
    now = clock.now()
    stay = make_arrival(now + HOUR)
    lock = stay.accommodation.locks.get()
    LockIncident.objects.create(lock=lock, kind="clock", began_at=now, last_at=now, off_minutes=off)
    [known] = gather.with_proofs(Reservation.objects.filter(pk=stay.pk))
    link = chain(gather.facts_of([known], now=now)[stay.pk], now).of(Step.LOCK)
    assert (link.light, lock.name in link.text, "clock" in link.text) == (light, True, True)


def test_history_shows_a_viewer_no_audit_and_no_addresses(newcomer: Client) -> None:
    stay = make_arrival(clock.now() + HOUR)
    User.objects.get(username="nina").groups.add(Group.objects.get(name="viewer"))
    page = newcomer.get(reverse("admin:reservations_reservation_change", args=[stay.pk])).content.decode()
    assert "reservation.created" not in page
    assert stay.guest_email not in page
