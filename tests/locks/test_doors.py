"""A stay and its doors: the lines of the plan carried out, faults survived, and exactly one PIN in the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from locks import doors, sealing
from locks.errors import Configuration, PinTaken, Refused, Transient, UnknownOutcome, WaitForDevice
from locks.hashing import hash_pins
from locks.models import AccommodationLock, Credential, Fallback, Lock
from locks.plan import CHANGE, GENERATE, LOOK, REVOKE
from locks.planning import readmit, replan, replan_after_jobs, withdraw
from locks.provider import DoorOpening, PinState
from locks.signals import credential_changed, door_needs_help
from reservations.models import Reservation
from reservations.services import end, save_facts
from scheduler.models import Job
from scheduler.services import cancel
from tests.builders import NOW, make_accommodation, make_facts, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors, Killed

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHECK_IN = NOW + timedelta(days=1, hours=6)  # 6 March, 15:00 in São Paulo
CHECK_OUT = NOW + timedelta(days=4, hours=2)  # 9 March, 11:00


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


@pytest.fixture
def calls_for_help() -> Iterator[list[str]]:
    heard: list[str] = []

    def hear(code: str, **_: object) -> None:
        heard.append(code)

    door_needs_help.connect(hear)
    yield heard
    door_needs_help.disconnect(hear)


def stay(**over: Any) -> tuple[Reservation, Lock]:
    unit = make_accommodation()
    lock = make_lock(unit)
    return make_reservation(unit, **over), lock


def doors_jobs(reservation: Reservation, *states: str) -> list[tuple[str, datetime]]:
    live = Job.objects.filter(subject=reservation.subject, kind__startswith="locks.", state__in=states or Job.LIVE)
    return sorted(live.values_list("kind", "run_at"))


def change(reservation: Reservation, **over: Any) -> None:
    """The source tells other facts about the same stay, a minute later."""
    reservation.refresh_from_db()
    facts = make_facts(
        reservation.accommodation,
        **{"external_id": reservation.external_id, "short_id": reservation.short_id} | over,
    )
    save_facts(facts, facts_at=reservation.facts_at + MINUTE)


def test_the_pin_comes_one_lead_before_check_in_and_goes_at_check_out(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    assert doors_jobs(reservation) == [(GENERATE, CHECK_IN - HOUR), (REVOKE, CHECK_OUT)]
    clock.until(CHECK_IN - HOUR - timedelta(seconds=1))
    assert street.calls == []
    clock.until(CHECK_IN)
    [held] = street.on(lock.device_id)
    assert (held.window.starts_at, held.window.ends_at, len(held.pin)) == (CHECK_IN, CHECK_OUT, 6)
    credential = Credential.objects.get()
    assert (credential.state, credential.proven) == ("on_lock", credential.wish)
    assert credential.pin_hash == ""
    hash_pins(now=clock.now)
    credential.refresh_from_db()
    assert sealing.matches(held.pin, credential.pin_hash)
    clock.until(CHECK_OUT)
    assert street.on(lock.device_id) == []
    credential.refresh_from_db()
    assert (credential.state, credential.removed_at, bytes(credential.pin_sealed)) == ("absent", CHECK_OUT, b"")
    assert street.calls == ["create", "read", "delete", "read"]
    assert doors_jobs(reservation) == []


def test_a_lock_may_have_a_lead_of_its_own(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    lock.lead_minutes = 180
    lock.save()
    assert (GENERATE, CHECK_IN - 3 * HOUR) in doors_jobs(reservation)


def test_planning_twice_changes_nothing(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    before = list(Job.objects.values())
    replan(reservation.pk, now=NOW + MINUTE)
    reservation.save()
    assert list(Job.objects.values()) == before


@pytest.mark.parametrize("status", ["reserved", "blocked", "maintenance", "canceled"])
def test_what_is_not_confirmed_gets_nothing(status: str, street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay(status=status)
    assert doors_jobs(reservation) == []


def test_confirmation_may_arrive_as_a_change(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay(status="reserved")
    change(reservation, status="booked")
    assert [kind for kind, _ in doors_jobs(reservation)] == [GENERATE, REVOKE]


def test_dates_that_change_before_the_pin_exists_move_both_jobs(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    change(reservation, check_in_time=time(18), check_out_time=time(9))
    assert doors_jobs(reservation) == [(GENERATE, CHECK_IN + 2 * HOUR), (REVOKE, CHECK_OUT - 2 * HOUR)]


def test_dates_that_change_afterwards_keep_the_digits_and_give_a_new_window(
    street: FakeDoors, clock: TimeMachine
) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 2 * HOUR)
    [after] = street.on(lock.device_id)
    assert (after.pin, after.window.ends_at) == (before.pin, CHECK_OUT + DAY)
    assert doors_jobs(reservation) == [(REVOKE, CHECK_OUT + DAY)]
    clock.until(CHECK_OUT + DAY)
    assert street.on(lock.device_id) == []


def test_after_the_first_use_only_the_end_moves(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    ref = Credential.objects.get().provider_ref
    street.opened = [DoorOpening(CHECK_IN + MINUTE, "pin", ref, "guest")]
    clock.until(CHECK_IN + HOUR)
    change(reservation, check_in_date=(CHECK_IN + DAY).date(), check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 2 * HOUR)
    [held] = street.on(lock.device_id)
    assert (held.window.starts_at, held.window.ends_at) == (CHECK_IN, CHECK_OUT + DAY)
    assert doors_jobs(reservation) == [(REVOKE, CHECK_OUT + DAY)]


def test_moving_to_another_unit_takes_the_old_door_first_and_gives_new_digits(
    street: FakeDoors, clock: TimeMachine
) -> None:
    reservation, old = stay()
    clock.until(CHECK_IN)
    [before] = street.on(old.device_id)
    other = make_accommodation()
    new = make_lock(other)
    street.calls.clear()
    change(reservation, listing_id=other.external_id)
    clock.until(CHECK_IN + HOUR)
    assert street.on(old.device_id) == []
    [after] = street.on(new.device_id)
    assert after.pin != before.pin
    assert street.calls == ["delete", "read", "create", "read"]


def test_an_old_door_that_does_not_answer_holds_the_guest_up_only_once(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _old = stay()
    clock.until(CHECK_IN)
    other = make_accommodation()
    new = make_lock(other)

    def silent_old_door(call: str) -> None:
        if call == "delete":
            raise Transient("no answer")

    street.before = silent_old_door
    change(reservation, listing_id=other.external_id)
    clock.until(CHECK_IN + 2 * MINUTE)
    assert len(street.on(new.device_id)) == 1


@pytest.mark.parametrize("status", ["canceled", "deleted"])
def test_a_cancelled_stay_loses_its_pin_at_once(status: str, street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    end(reservation, status, facts_at=CHECK_IN + HOUR)
    clock.until(CHECK_IN + 2 * HOUR)
    assert street.on(lock.device_id) == []
    assert doors_jobs(reservation) == []


def test_a_stay_cancelled_before_its_pin_leaves_no_job(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    end(reservation, "canceled", facts_at=NOW + MINUTE)
    assert doors_jobs(reservation) == []
    clock.until(CHECK_OUT)
    assert street.calls == []


def test_reactivated_means_planned_afresh_with_a_new_pin(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    end(reservation, "canceled", facts_at=CHECK_IN + MINUTE)
    clock.until(CHECK_IN + 2 * MINUTE)
    reservation.refresh_from_db()
    change(reservation, status="booked")
    clock.until(CHECK_IN + 2 * HOUR)
    [after] = street.on(lock.device_id)
    assert after.pin != before.pin


def test_overlapping_stays_get_different_pins(street: FakeDoors, clock: TimeMachine) -> None:
    first, lock = stay()
    make_reservation(first.accommodation)
    clock.until(CHECK_IN)
    assert len({held.pin for held in street.on(lock.device_id)}) == 2


def test_several_locks_of_a_stay_carry_the_same_digits_where_lengths_agree(
    street: FakeDoors, clock: TimeMachine
) -> None:
    unit = make_accommodation()
    gate, door, wifi = make_lock(unit), make_lock(unit, radio="ble"), make_lock(unit, radio="wifi")
    make_reservation(unit)
    clock.until(CHECK_IN)
    [at_gate], [at_door], [at_wifi] = (street.on(lock.device_id) for lock in (gate, door, wifi))
    assert at_gate.pin == at_door.pin
    assert len(at_wifi.pin) == 7


def test_a_door_added_later_gets_the_digits_the_guest_knows(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, door = stay()
    clock.until(CHECK_IN)
    gate = make_lock()
    AccommodationLock.objects.create(accommodation=reservation.accommodation, lock=gate)
    clock.until(CHECK_IN + HOUR)
    assert street.on(gate.device_id)[0].pin == street.on(door.device_id)[0].pin


def test_one_silent_door_holds_up_no_other(street: FakeDoors, clock: TimeMachine) -> None:
    unit = make_accommodation()
    make_lock(unit)
    make_lock(unit)
    make_reservation(unit)
    failed: list[str] = []

    def first_create_fails(call: str) -> None:
        if call == "create" and len(failed) < 1:
            failed.append(call)
            raise Transient("no answer")

    street.before = first_create_fails
    clock.until(CHECK_IN - HOUR + timedelta(seconds=1.5))
    assert Credential.objects.filter(state="on_lock").count() == 1


def test_a_lost_answer_never_makes_a_second_pin(street: FakeDoors, clock: TimeMachine) -> None:
    _reservation, lock = stay()
    lost: list[str] = []

    def answer_is_lost(call: str) -> None:
        if call == "create" and not lost:
            lost.append(call)
            raise UnknownOutcome("cut")

    street.after = answer_is_lost
    clock.until(CHECK_IN)
    assert len(street.on(lock.device_id)) == 1
    assert street.calls == ["create", "list", "read"]
    assert Credential.objects.get().state == "on_lock"


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["create", "read", "change", "delete"])
def test_a_worker_killed_around_any_call_leaves_nothing_that_is_not_mended(
    call: str, moment: str, street: FakeDoors, clock: TimeMachine
) -> None:
    """P11: after the lease has run out the door ends with exactly the PIN it should have, and with none at the end."""
    reservation, lock = stay()
    killed: list[str] = []

    def kill_once(name: str) -> None:
        if name == call and not killed:
            killed.append(name)
            raise Killed

    setattr(street, moment, kill_once)
    survive(clock, CHECK_IN)
    assert [held.window.ends_at for held in street.on(lock.device_id)] == [CHECK_OUT]
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    survive(clock, CHECK_IN + 10 * MINUTE)
    assert [held.window.ends_at for held in street.on(lock.device_id)] == [CHECK_OUT + DAY]
    survive(clock, CHECK_OUT + DAY + 10 * MINUTE)
    assert street.on(lock.device_id) == []
    assert killed == [call]


def survive(clock: TimeMachine, until: datetime) -> None:
    """Run up to ``until``; when a worker is killed, wait for its lease and go on."""
    for _ in range(3):
        try:
            clock.until(until)
            return
        except Killed:
            clock.bury_the_dead()
    raise AssertionError("killed again and again")


def test_a_sleeping_lock_is_waited_for_and_not_written_to_again(street: FakeDoors, clock: TimeMachine) -> None:
    _reservation, _lock = stay()
    street.asleep = True
    clock.until(CHECK_IN)
    assert street.calls.count("create") == 1
    assert Credential.objects.get().state == "requested"
    assert Fallback.objects.get().called_at == CHECK_IN - 30 * MINUTE, "there is no backup: a person was called"
    street.wake()
    clock.until(CHECK_IN + 6 * MINUTE)
    assert Credential.objects.get().state == "on_lock"
    assert street.calls.count("create") == 1


def test_a_removal_is_repeated_until_it_is_proven_and_a_person_is_told(
    street: FakeDoors, calls_for_help: list[str], clock: TimeMachine
) -> None:
    _reservation, _lock = stay()
    clock.until(CHECK_IN)
    street.asleep = True
    clock.until(CHECK_OUT + 14 * MINUTE)
    assert calls_for_help == []
    clock.until(CHECK_OUT + 5 * HOUR)
    assert calls_for_help == ["removal_overdue"]
    [job] = Job.objects.filter(kind=REVOKE)
    assert job.state == "scheduled"
    assert Credential.objects.get().state == "removing"
    street.wake()
    clock.until(CHECK_OUT + 7 * HOUR)
    credential = Credential.objects.get()
    assert credential.is_gone()
    assert credential.exposure(NOW) >= 5 * HOUR


def test_removal_goes_on_even_when_the_account_is_broken(street: FakeDoors, clock: TimeMachine) -> None:
    _, lock = stay()
    clock.until(CHECK_IN)

    def broken(_: str) -> None:
        raise Configuration("wrong secret")

    street.before = broken
    clock.until(CHECK_OUT + 3 * DAY)
    assert Job.objects.get(kind=REVOKE).state == "scheduled"
    street.before = lambda _: None
    clock.until(CHECK_OUT + 3 * DAY + 2 * HOUR)
    assert street.on(lock.device_id) == []


def test_a_lie_about_removal_is_noticed(street: FakeDoors, clock: TimeMachine) -> None:
    _, lock = stay()
    clock.until(CHECK_IN)
    [ref] = street.held
    kept = street.held[ref]
    lies: list[str] = []

    def lie_twice(call: str) -> None:
        if call == "delete" and len(lies) < 2:
            lies.append(call)
            street.held[ref] = kept

    street.after = lie_twice
    clock.until(CHECK_OUT + HOUR)
    assert street.on(lock.device_id) == []
    assert street.calls.count("delete") == 3


def test_a_pin_that_vanished_is_put_back(street: FakeDoors, clock: TimeMachine) -> None:
    _, lock = stay()
    gone: list[str] = []

    def vanish_once(call: str) -> None:
        if call == "create" and not gone:
            gone.append(call)
            street.held.clear()

    street.after = vanish_once
    clock.until(CHECK_IN)
    assert len(street.on(lock.device_id)) == 1


def test_a_refused_creation_is_seen_as_such_and_sent_again(street: FakeDoors, clock: TimeMachine) -> None:
    _, lock = stay()
    failed: list[str] = []

    def fail_once(call: str) -> None:
        if call == "create" and not failed:
            failed.append(call)
            next(iter(street.held.values())).state = PinState.FAILED

    street.after = fail_once
    clock.until(CHECK_IN)
    [held] = street.on(lock.device_id)
    assert held.state == PinState.ON_LOCK


def test_digits_somebody_else_set_on_the_lock_are_replaced(street: FakeDoors, clock: TimeMachine) -> None:
    _, lock = stay()
    refused: list[str] = []

    def taken_once(call: str) -> None:
        if call == "create" and not refused:
            refused.append(call)
            raise PinTaken("taken")

    street.before = taken_once
    clock.until(CHECK_IN)
    assert len(street.on(lock.device_id)) == 1
    assert Credential.objects.filter(wanted=True, state="on_lock").count() == 1


def test_a_full_lock_waits_for_a_place(street: FakeDoors, clock: TimeMachine) -> None:
    first, lock = stay()
    lock.capacity = 1
    lock.save()
    second = make_reservation(
        first.accommodation,
        check_in_date=CHECK_OUT.date(),
        check_in_time=time(11),
        check_out_date=(CHECK_OUT + DAY).date(),
    )
    clock.until(CHECK_OUT - MINUTE)
    assert len(street.on(lock.device_id)) == 1
    clock.until(CHECK_OUT + 10 * MINUTE)
    [held] = street.on(lock.device_id)
    assert held.window.starts_at == second.check_in_at


def test_an_operator_can_take_the_pins_away_and_give_new_ones(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    assert withdraw(reservation.pk, now=CHECK_IN + MINUTE, actor="ana") == 1
    clock.until(CHECK_IN + HOUR)
    assert street.on(lock.device_id) == []
    assert doors_jobs(reservation) == []
    readmit(reservation.pk, now=CHECK_IN + HOUR, actor="ana")
    clock.until(CHECK_IN + 2 * HOUR)
    [after] = street.on(lock.device_id)
    assert after.pin != before.pin


def test_a_cancellation_that_arrives_while_the_pin_is_being_made_wins(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    ended: list[bool] = []

    def cancel_now(call: str) -> None:
        if call == "create" and not ended:
            ended.append(end(reservation, "canceled", facts_at=CHECK_IN))

    street.before = cancel_now
    clock.until(CHECK_IN + 10 * MINUTE)
    assert ended == [True]
    assert street.on(lock.device_id) == []
    assert Credential.objects.get().is_gone()


def test_new_dates_that_arrive_while_the_pin_is_being_made_win(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    changed: list[str] = []

    def extend_now(call: str) -> None:
        if call == "create" and not changed:
            changed.append(call)
            change(reservation, check_out_date=(CHECK_OUT + DAY).date())

    street.before = extend_now
    clock.until(CHECK_IN + 10 * MINUTE)
    [held] = street.on(lock.device_id)
    assert held.window.ends_at == CHECK_OUT + DAY
    assert {kind for kind, _ in doors_jobs(reservation)} == {REVOKE}
    assert Job.objects.filter(kind=CHANGE, state="succeeded").exists()


def test_with_erased_digits_a_change_of_dates_means_new_ones(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN)
    [before] = street.on(lock.device_id)
    Credential.objects.update(pin_sealed=b"")
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + HOUR)
    [after] = street.on(lock.device_id)
    assert (after.pin != before.pin, after.window.ends_at) == (True, CHECK_OUT + DAY)


def test_what_a_dying_process_did_not_plan_is_planned_within_the_minute(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)
    Job.objects.filter(kind=REVOKE).delete()
    replan_after_jobs(now=clock.now, recent=2 * HOUR)
    assert doors_jobs(reservation) == [(REVOKE, CHECK_OUT)]


def test_a_pin_the_lock_refuses_for_good_waits_for_a_person_until_the_facts_change(
    street: FakeDoors, calls_for_help: list[str], clock: TimeMachine
) -> None:
    reservation, lock = stay()

    def refuse(call: str) -> None:
        if call == "create":
            raise Refused("this lock takes no codes")

    street.before = refuse
    clock.until(CHECK_IN)
    assert doors_jobs(reservation, "failed") == [(GENERATE, CHECK_IN - HOUR)]
    assert calls_for_help == ["pin_not_proven"]
    replan(reservation.pk, now=CHECK_IN)
    assert doors_jobs(reservation) == [(REVOKE, CHECK_OUT)]
    street.before = lambda _: None
    change(reservation, check_in_time=time(16))
    clock.until(CHECK_IN + HOUR)
    assert len(street.on(lock.device_id)) == 1


def test_a_cancellation_just_before_the_call_keeps_it_from_being_made(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN - HOUR - MINUTE)
    ended: list[str] = []

    def cancel_when_asked(credential: Credential, **_: object) -> None:
        if credential.asked_at is not None and not ended:
            ended.append("canceled")
            end(reservation, "canceled", facts_at=clock.now)

    credential_changed.connect(cancel_when_asked)
    try:
        clock.until(CHECK_IN + MINUTE)
    finally:
        credential_changed.disconnect(cancel_when_asked)
    assert (ended, "create" in street.calls) == (["canceled"], False)
    assert Credential.objects.get().is_gone()


def test_a_removal_that_succeeds_after_hours_is_proven_within_seconds(street: FakeDoors, clock: TimeMachine) -> None:
    """The lock confirms a moment after the hourly try: the proof must not wait for the next hour."""
    stay()
    clock.until(CHECK_IN)
    accepted: list[datetime] = []

    def offline_then_slow(call: str) -> None:
        if call == "delete" and clock.now < CHECK_OUT + 30 * MINUTE:
            raise WaitForDevice("offline")
        if call == "delete":
            accepted.append(clock.now)
            street.asleep = True
        if call == "read" and accepted and clock.now > accepted[0]:
            street.wake()

    street.before = offline_then_slow
    clock.until(CHECK_OUT + 3 * HOUR)
    removed_at = Credential.objects.get().removed_at
    assert len(accepted) == 1
    assert removed_at is not None
    assert removed_at - accepted[0] < timedelta(seconds=5)


def test_a_change_that_is_refused_for_good_is_not_begun_again_and_again(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)

    def not_allowed(call: str) -> None:
        if call == "change":
            raise Configuration("not allowed")

    street.before = not_allowed
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 2 * HOUR)
    assert street.calls.count("change") == 1
    assert Job.objects.get(kind=CHANGE).state == "failed"
    street.before = lambda _: None
    change(reservation, check_out_date=(CHECK_OUT + 2 * DAY).date())
    clock.until(CHECK_IN + 3 * HOUR)
    assert Credential.objects.get().proven == Credential.objects.get().wish


def test_a_change_that_a_lock_takes_a_moment_for_calls_nobody(
    street: FakeDoors, calls_for_help: list[str], clock: TimeMachine
) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)

    def take_it_later(call: str) -> None:
        if call == "change":
            next(iter(street.held.values())).state = PinState.PENDING

    street.after = take_it_later
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + MINUTE)
    assert calls_for_help == []
    clock.until(CHECK_IN + 10 * MINUTE)
    assert calls_for_help == ["pin_not_proven"]


def no_change(call: str) -> None:
    if call == "change":
        raise WaitForDevice("the lock does not answer")


def test_a_door_that_has_not_taken_a_change_is_not_looked_at_without_end(street: FakeDoors, clock: TimeMachine) -> None:
    """Prolonged two minutes before the old end: the plan's own time for the look, half an hour before it, is past."""
    reservation, _ = stay()
    clock.until(CHECK_OUT - 2 * MINUTE)
    street.before = no_change
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    assert [outcome for kind, outcome in clock.until(CHECK_OUT - MINUTE) if kind == LOOK] == ["waiting"]
    clock.until(CHECK_OUT + 5 * MINUTE)
    assert Fallback.objects.get().handed_out_at is not None, "she is given another way in once the old window is over"


def test_a_longer_stay_calls_nobody_before_the_lock_was_asked(
    street: FakeDoors, clock: TimeMachine, calls_for_help: list[str]
) -> None:
    """A late check-out is often agreed in the last half hour, in which a silent lock would be told of."""
    reservation, _ = stay()
    clock.until(CHECK_OUT - 20 * MINUTE)
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_OUT)
    assert (calls_for_help, Fallback.objects.exists()) == ([], False)


def test_a_guest_who_comes_within_minutes_is_not_looked_at_without_end(street: FakeDoors, clock: TimeMachine) -> None:
    clock.forward(CHECK_IN - 2 * MINUTE)
    street.asleep = True
    stay()
    assert [outcome for kind, outcome in clock.until(CHECK_IN - MINUTE) if kind == LOOK] == ["waiting"]


def test_what_a_person_called_off_stays_off_until_the_stay_is_planned_again(
    street: FakeDoors, clock: TimeMachine
) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN - 2 * HOUR)
    live = Job.objects.filter(subject=reservation.subject, state__in=Job.LIVE)
    assert cancel(live, now=clock.now, actor="command", reason="Called off.") == 2
    replan_after_jobs(now=clock.now + MINUTE)
    clock.until(CHECK_IN)
    assert (doors_jobs(reservation), street.calls) == ([], [])
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + MINUTE)
    assert len(street.held) == 1, "other facts are planned as ever"


def test_a_removal_that_a_person_called_off_comes_back_while_the_pin_is_there(
    street: FakeDoors, clock: TimeMachine
) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)
    assert len(street.held) == 1
    live = Job.objects.filter(subject=reservation.subject, state__in=Job.LIVE)
    assert cancel(live, now=clock.now, actor="command", reason="Called off.") == 1
    replan_after_jobs(now=clock.now + MINUTE)
    assert [kind for kind, _ in doors_jobs(reservation)] == [REVOKE]
    clock.until(CHECK_OUT + MINUTE)
    assert street.held == {}


def test_what_the_engine_called_off_is_still_looked_at_again(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    cancel(Job.objects.filter(subject=reservation.subject), now=clock.now)
    replan_after_jobs(now=clock.now + MINUTE)
    assert [kind for kind, _ in doors_jobs(reservation)] == [GENERATE, REVOKE]


def test_a_check_out_that_was_moved_to_yesterday_ends_the_right_today(
    street: FakeDoors, calls_for_help: list[str], clock: TimeMachine
) -> None:
    """The guest was let in rightly until this moment: nothing is late yet, and nobody is called."""
    reservation, lock = stay()
    clock.until(CHECK_IN + 2 * DAY)
    street.asleep = True
    change(reservation, check_out_date=(CHECK_IN + DAY).date(), check_out_time=time(11))
    clock.until(CHECK_IN + 2 * DAY + 10 * MINUTE)
    replan(reservation.pk, now=clock.now)
    credential = Credential.objects.get()
    assert (credential.ends_at, calls_for_help) == (CHECK_IN + 2 * DAY, [])
    clock.until(CHECK_IN + 2 * DAY + 20 * MINUTE)
    assert calls_for_help == ["removal_overdue"]
    street.wake()
    clock.until(CHECK_IN + 2 * DAY + 2 * HOUR)
    assert street.on(lock.device_id) == []
    assert Credential.objects.get().exposure(clock.now) < 2 * HOUR
