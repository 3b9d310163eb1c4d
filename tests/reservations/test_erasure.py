"""Guests are forgotten in time, and stay forgotten; what happened stays true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from pytest_django import Settings

from locks.models import Credential, Opening
from reservations import erasure, tasks
from reservations.facts import Guest
from reservations.models import Reservation
from reservations.services import save_facts
from reservations.signals import guests_erased
from scheduler.models import Job, JobAttempt
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_lock, make_reservation
from tests.commands.run import run

pytestmark = pytest.mark.django_db
MUCH_LATER = NOW + timedelta(days=95)  # the builders' stay ends four days after NOW


def test_name_contacts_and_odd_fields_go_and_the_stay_remains() -> None:
    stay = make_reservation(extra={"note": "Ana likes tea"}, partner_code="HM1")
    entries = AuditLog.objects.count()
    assert erasure.erase_guests(now=MUCH_LATER).stays == 1
    row = Reservation.objects.values().get()
    for word in ("Ana", "ana@", "+55119", "pt-BR", "tea"):
        assert word not in repr(row)
    assert (row["partner_code"], row["check_in_at"], row["guest_erased_at"]) == ("HM1", stay.check_in_at, MUCH_LATER)
    assert AuditLog.objects.count() == entries + 1
    assert AuditLog.objects.filter(action="guest.erased", subject=stay.subject).exists()
    assert erasure.erase_guests(now=MUCH_LATER).stays == 0


@pytest.mark.parametrize(("days", "erased"), [(89, 0), (91, 1)])
def test_not_a_day_too_early(days: int, erased: int) -> None:
    stay = make_reservation()
    assert erasure.erase_guests(now=stay.check_out_at + timedelta(days=days)).stays == erased


def test_the_source_does_not_bring_the_guest_back_but_a_new_future_does() -> None:
    facts = make_facts(make_accommodation(), extra={"a": 1})
    save_facts(facts, facts_at=NOW)
    erasure.erase_guests(now=MUCH_LATER)
    save_facts(facts, facts_at=MUCH_LATER)
    stay = Reservation.objects.get()
    assert (stay.guest_name, stay.extra) == ("", {})
    again = replace(facts, check_out_date=date(2026, 12, 1))
    save_facts(again, facts_at=MUCH_LATER + timedelta(days=1))
    stay.refresh_from_db()
    assert (stay.guest_name, stay.guest_erased_at) == ("Ana Teste", None)


def test_other_rooms_erase_in_the_same_transaction_and_a_failure_undoes_all() -> None:
    make_reservation()

    def fail(reservations: list[Reservation], **_: object) -> int:
        assert [stay.guest_name for stay in reservations] == ["Ana Teste"]
        raise RuntimeError("cannot")

    guests_erased.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            erasure.erase_guests(now=MUCH_LATER)
    finally:
        guests_erased.disconnect(fail)
    assert Reservation.objects.get().guest_name == "Ana Teste"


def test_more_stays_than_a_portion_are_all_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PORTION", 2)
    unit = make_accommodation()
    for _ in range(5):
        make_reservation(unit)
    assert erasure.erase_guests(now=MUCH_LATER).stays == 5


def test_the_command_counts_first_and_the_tick_does_the_same(settings: Settings) -> None:
    make_reservation(check_in_date=date(2020, 3, 6), check_out_date=date(2020, 3, 9))
    assert run("erase_guests", "--dry-run", "--json").json["stays"] == 1
    assert Reservation.objects.get().guest_name
    assert "1 stay were erased" in run("erase_guests").out
    settings.GUEST_KEEP_DAYS = 1
    assert tasks.erase_guests() == 0


def test_names_go_from_errors_of_jobs_and_from_the_admin_sites_log_and_others_stay() -> None:
    stay, other = make_reservation(), make_reservation(guest=Guest("Bia Outra", "bia@example.com"))
    Reservation.objects.filter(pk=other.pk).update(check_out_at=MUCH_LATER)
    person = get_user_model().objects.create_user("olga")
    for guest in (stay, other):
        job = Job.objects.create(
            kind="notifications.tell_guest", subject=guest.subject, due_at=NOW, run_at=NOW, state="failed",
            finished_at=NOW, last_error=f"550 {guest.guest_email} is unknown",
        )  # fmt: skip
        JobAttempt.objects.create(
            job=job,
            number=1,
            started_at=NOW,
            error=f"550 {guest.guest_email}",
            traceback=f"Refused: {guest.guest_email}",
        )
        LogEntry.objects.log_actions(person.pk, [guest], CHANGE, change_message=f"Changed {guest}.", single_object=True)
    erased = erasure.erase_guests(now=MUCH_LATER)
    written = repr([list(rows.objects.values()) for rows in (Job, JobAttempt, LogEntry)])
    assert "ana@" not in written
    assert "Ana Teste" not in written
    assert written.count("bia@example.com") == 3
    assert written.count("Bia Outra") == 2
    assert erased.elsewhere["smartlock"] == 5
    assert "550 – is unknown" in written, "what happened stays true"


def test_what_a_lock_calls_the_guest_goes_and_the_opening_stays() -> None:
    stay = make_reservation()
    lock = make_lock(stay.accommodation)
    credential = Credential.objects.create(
        reservation=stay, lock=lock, name="n", starts_at=stay.check_in_at, ends_at=stay.check_out_at
    )
    for holder, name in ((credential, "Ana Teste"), (None, "Cleaner")):
        Opening.objects.create(
            lock=lock, at=NOW, method="temporary", ref=name, name=name, credential=holder, recorded_at=NOW
        )
    erasure.erase_guests(now=MUCH_LATER)
    assert sorted(Opening.objects.values_list("name", flat=True)) == ["", "Cleaner"]
