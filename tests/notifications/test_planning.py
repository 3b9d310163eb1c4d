"""One job per stay, at the right time."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest

from locks.errors import WaitForDevice
from locks.models import Credential
from locks.store import at_work, note
from notifications.decide import BREATH
from notifications.models import Message
from notifications.planning import TELL_GUEST, plan_telling
from reservations.models import Reservation
from reservations.services import end, save_by_hand
from scheduler.models import Job
from scheduler.signals import jobs_ended
from tests.builders import NOW
from tests.notifications.conftest import Stage


def due_at(stage: Stage) -> object:
    job = stage.job()
    return job and job.due_at


def test_nothing_is_told_before_a_lock_accepted_the_pin(stage: Stage) -> None:
    stay = stage.book()
    Credential.objects.create(
        reservation=stay, lock=stay.accommodation.locks.get(), name="SL 1", pin_fingerprint="x",
        starts_at=stay.check_in_at, ends_at=stay.check_out_at,
    )  # fmt: skip
    plan_telling(stay.pk, now=NOW)
    assert stage.job() is None


def test_a_sleeping_lock_is_given_time_until_shortly_before_check_in(stage: Stage) -> None:
    stay = stage.book()
    credential = stage.accept(stay)
    assert due_at(stage) == stay.check_in_at - timedelta(minutes=30)

    # The proof brings it forward; it is still one job.
    stage.prove(credential)
    assert due_at(stage) == stage.now
    assert Job.objects.filter(kind=TELL_GUEST).count() == 1


def test_late_signals_do_not_push_the_message_away(stage: Stage) -> None:
    stay = stage.book()
    stage.now = stay.check_in_at - timedelta(minutes=5)
    credential = stage.accept(stay)
    first = due_at(stage)
    assert first == stage.now + BREATH
    stage.later(seconds=20)
    stage.ask(credential)
    assert due_at(stage) == first


def test_one_door_that_has_not_proven_it_holds_the_message(stage: Stage) -> None:
    stay = stage.book(doors=2)
    gate, door = stay.accommodation.locks.all()
    stage.on_the_door(stay, gate)
    slow = stage.accept(stay, door)
    assert due_at(stage) == stay.check_in_at - timedelta(minutes=30)
    stage.prove(slow)
    assert due_at(stage) == stage.now


def test_a_plan_that_died_with_its_process_is_made_up_for_when_the_job_ends(stage: Stage) -> None:
    stay = stage.book()
    credential = stage.accept(stay)
    note(credential, state=Credential.State.ON_LOCK)  # committed; the process dies before it plans
    assert due_at(stage) != stage.now
    jobs_ended.send(Job, jobs=[Job.objects.get(kind="locks.generate_pin")])
    assert due_at(stage) == stage.now


def test_planning_again_changes_nothing(stage: Stage) -> None:
    stay = stage.book()
    stage.on_the_door(stay)
    before = Job.objects.filter(kind=TELL_GUEST).values().get()
    stage.later(seconds=1)
    plan_telling(stay.pk, now=stage.now)
    assert Job.objects.filter(kind=TELL_GUEST).values().get() == before


def test_told_and_nothing_new_means_no_job(stage: Stage) -> None:
    stay = stage.book()
    stage.told(stay)
    stay.save()
    assert stage.job() is None


def test_new_dates_are_told_when_the_lock_has_them(stage: Stage) -> None:
    stay = stage.book()
    stage.told(stay)
    with stage.committing():
        stay.check_out_date = date(2026, 3, 11)
        save_by_hand(stay, now=stage.now, actor="test")
    assert stage.job() is None  # the lock still has the old window
    credential = Credential.objects.get()
    stage.ask(credential)
    stage.prove(credential)
    assert stage.work() == ["succeeded"]
    assert list(Message.objects.values_list("template", flat=True)) == ["window_changed", "pin_ready"]


@pytest.mark.parametrize("status", ["canceled", "blocked", "reserved"])
def test_a_cancellation_is_told_to_those_who_have_a_pin(stage: Stage, status: str) -> None:
    stay = stage.book()
    stage.told(stay)
    with stage.committing():
        Reservation.objects.get().save()
        stay.status = status
        stay.save()
    assert due_at(stage) == stage.now
    assert stage.work() == ["succeeded"]
    assert Message.objects.latest("id").template == "stay_cancelled"
    assert stage.job() is None


def test_deleted_at_the_source_is_a_cancellation(stage: Stage) -> None:
    stay = stage.book()
    stage.told(stay)
    end(stay, Reservation.Status.DELETED, facts_at=stage.now)
    assert stage.work() == ["succeeded"]
    assert Message.objects.latest("id").template == "stay_cancelled"


def test_who_was_told_nothing_is_not_told_of_a_cancellation(stage: Stage) -> None:
    stay = stage.book()
    stage.on_the_door(stay)
    stay.status = Reservation.Status.CANCELED
    stay.save()
    assert stage.job() is None
    assert Job.objects.get(kind=TELL_GUEST).state == Job.State.CANCELLED
    assert not Message.objects.exists()


def test_a_new_address_is_told_what_the_old_one_was(stage: Stage) -> None:
    stay = stage.book()
    stage.told(stay)
    stay.guest_email = "ana.right@example.com"
    stay.save()
    assert stage.work() == ["succeeded"]
    assert list(Message.objects.values_list("to", "template")) == [
        ("ana.right@example.com", "pin_ready"), ("ana@example.com", "pin_ready"),
    ]  # fmt: skip


def test_a_job_that_runs_too_soon_tells_nothing(stage: Stage) -> None:
    """All was proven when the job was set, and no longer is: the doors still have their time."""
    stay = stage.book()
    credential = stage.on_the_door(stay)
    Credential.objects.filter(pk=credential.pk).update(state=Credential.State.UNKNOWN)
    assert stage.work() == ["succeeded"]
    assert not Message.objects.exists()
    assert due_at(stage) == stay.check_in_at - timedelta(minutes=30)


def test_when_the_stay_is_over_nobody_is_told(stage: Stage) -> None:
    stay = stage.book()
    stage.accept(stay)
    stage.now = stay.check_out_at
    plan_telling(stay.pk, now=stage.now)
    assert stage.job() is None


def test_a_job_at_a_door_that_is_put_back_has_the_letter_planned(stage: Stage) -> None:
    """Its end would plan it, but it has not ended: a guest of a sleeping lock must be told in time all the same."""
    stay = stage.book()
    with stage.committing(), suppress(WaitForDevice), at_work():
        stage.accept(stay)
        assert stage.job() is None
        raise WaitForDevice("asleep")
    assert stage.job() is not None
