"""Hypothesis looks for stays, edits, faults and wake-ups that leave a guest outside a shared door, or a stranger in.

P2 and P3 are judged at every step, P1 and P9 when the world has been quiet for long enough. The doors are the judge.
``SHARED_DOORS=2000`` tells that many new stories instead of the few that are always the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from locks import reading, reconcile, staff
from locks.errors import DoorError
from locks.models import Lock, StaffCode
from locks.planning import renew
from reservations.models import Reservation
from reservations.services import save_facts
from sandbox import tuya_passwords
from sandbox.faults import KNOWN
from sandbox.keypad import try_pin
from sandbox.state import RecordState
from sandbox.tuya_errors import TuyaError
from sandbox.tuya_passwords import Wish
from scheduler import clock
from scheduler.models import Job
from scheduler.services import retry
from tests.doors.judge import BREATH, BY_HAND, HALF_HOUR, Book, Judge, Stay, facts_of
from tests.doors.street import CAPACITY, OWNER, Killed, Street, street

MOST_STAYS, MOST_STAFF = 4, 2
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
STAYS, DOORS, UNITS = st.integers(0, MOST_STAYS - 1), st.integers(0, 2), st.integers(0, 1)
RADIOS = st.sampled_from(["zigbee", "wifi", "ble"])
EXAMPLES = int(os.environ.get("SHARED_DOORS", "0"))
# Days take their time to tell: only where many stories are.
BEGINS = st.integers(-2, 6) | st.just(3 * 48) if EXAMPLES else st.integers(-2, 6)  # half hours
AHEAD = st.booleans() if EXAMPLES else st.just(False)


class SharedDoors(RuleBasedStateMachine):
    """Everything that can happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.street: Street = self.stack.enter_context(street())
        self.book = Book()
        self.judge = Judge(self.street, self.book)
        self.street.watch = self.judge.look
        self.said = 0

    @initialize(gate=RADIOS, first=RADIOS, second=RADIOS, backups=st.integers(0, 1), ahead=AHEAD)
    def build(self, gate: str, first: str, second: str, backups: int, ahead: bool = False) -> None:
        """``ahead``: at the street door PINs are put on days ahead, and it holds fewer than our records say."""
        self.street.do(lambda: self.street.build(gate, [first, second], backups))
        if ahead:
            Lock.objects.filter(device_id="gate").update(capacity=2 * CAPACITY, lead_minutes=4 * 24 * 60)

    # --- the account ------------------------------------------------------------------------------------------------
    @precondition(lambda self: len(self.book.stays) < MOST_STAYS)
    @rule(unit=UNITS, begins=BEGINS, lasts=st.integers(1, 40))
    def book_a_stay(self, unit: int, begins: int, lasts: int) -> None:
        start = clock.now().replace(minute=0, second=0, microsecond=0) + begins * HALF_HOUR
        self.say(Stay(len(self.book.stays) + 1, unit, start, start + lasts * HALF_HOUR))

    @precondition(lambda self: self.book.stays)
    @rule(which=STAYS, by=st.integers(-8, 8))
    def move_check_out(self, which: int, by: int) -> None:
        stay = self.one(which)
        self.say(replace(stay, ends_at=max(stay.ends_at + by * HALF_HOUR, stay.starts_at + HALF_HOUR)))

    @precondition(lambda self: self.book.stays)
    @rule(which=STAYS, by=st.integers(-6, 6))
    def move_both_dates(self, which: int, by: int) -> None:
        stay = self.one(which)
        self.say(replace(stay, starts_at=stay.starts_at + by * HALF_HOUR, ends_at=stay.ends_at + by * HALF_HOUR))

    @precondition(lambda self: self.book.stays)
    @rule(which=STAYS)
    def move_to_the_other_unit(self, which: int) -> None:
        stay = self.one(which)
        self.say(replace(stay, unit=1 - stay.unit))

    @precondition(lambda self: self.book.stays)
    @rule(which=STAYS)
    def cancel_or_reactivate(self, which: int) -> None:
        stay = self.one(which)
        self.say(replace(stay, booked=not stay.booked))

    # --- the office -------------------------------------------------------------------------------------------------
    @precondition(lambda self: self.book.stays)
    @rule(which=STAYS)
    def give_other_digits(self, which: int) -> None:
        row = Reservation.objects.get(external_id=self.one(which).external_id)
        self.street.do(lambda: renew(row.pk, now=clock.now(), actor="operator"))

    @precondition(lambda self: len(self.book.staff) < MOST_STAFF)
    @rule(door=DOORS, begins=st.integers(-1, 3), lasts=st.integers(1, 20))
    def add_a_staff_code(self, door: int, begins: int, lasts: int) -> None:
        starts_at = clock.now() + begins * HALF_HOUR
        code = StaffCode(name="cleaning", starts_at=starts_at, ends_at=starts_at + lasts * HALF_HOUR)
        doors, now = [self.street.locks[door]], clock.now()
        self.book.staff.append(self.street.do(lambda: staff.save(code, locks=doors, now=now, actor="operator")).pk)

    @precondition(lambda self: self.book.staff)
    @rule()
    def end_a_staff_code(self) -> None:
        code = StaffCode.objects.get(pk=self.book.staff[-1])
        self.street.do(lambda: staff.end(code, now=clock.now(), actor="operator"))

    @rule()
    def try_again_what_failed(self) -> None:
        self.street.do(lambda: retry(Job.objects.filter(state=Job.State.FAILED), now=clock.now()))

    @rule(door=DOORS)
    def compare(self, door: int) -> None:
        with suppress(DoorError, Killed):  # it could not be read, which the report says
            self.street.do(lambda: reconcile.reconcile(self.street.locks[door], now=clock.now(), actor="operator"))

    @rule()
    def read_the_doors(self) -> None:
        with suppress(Killed):
            self.street.do(lambda: reading.read_due(now=clock.now(), sleep=lambda _seconds: None))

    # --- the doors --------------------------------------------------------------------------------------------------
    @rule(minutes=st.sampled_from([0.05, 1, 5, 20, 60, 180]))
    def wait(self, minutes: float) -> None:
        self.street.until(clock.now() + minutes * MINUTE)

    @rule(door=DOORS, name=st.sampled_from(sorted(KNOWN)))
    def begin_a_fault(self, door: int, name: str) -> None:
        self.street.fault(door, name)

    @rule(door=DOORS)
    def end_the_faults(self, door: int) -> None:
        self.street.mend(door)

    @rule(door=DOORS, awake=st.booleans())
    def wake_or_sleep(self, door: int, awake: bool) -> None:
        self.street.wake(door, awake)

    @rule(calls=st.integers(0, 8))
    def kill_a_worker(self, calls: int) -> None:
        """The one that makes the call so many calls from now, before it is sent or before its answer is read."""
        self.street.wire.fuse = calls

    @precondition(lambda self: self.book.stays)
    @rule(which=STAYS, door=DOORS)
    def type_the_pin(self, which: int, door: int) -> None:
        stay, lock = self.one(which), self.street.locks[door]
        for pin in self.judge.codes(stay, lock):
            if try_pin(self.street.door(door), pin, clock.now().timestamp()).opened:
                self.book.used.add((stay.number, lock.device_id))

    # --- by hand, in the lock's app ---------------------------------------------------------------------------------
    @precondition(lambda self: len(self.book.foreign) < 2)
    @rule(door=DOORS, pin=st.integers(10**5, 10**6 - 1))
    def somebody_adds_a_code(self, door: int, pin: int) -> None:
        there, now = self.street.door(door), clock.now().timestamp()
        digits = str(pin) if there.radio != "wifi" else f"{pin}0"
        with self.street.world() as world:
            try:
                wish = Wish(f"{OWNER} {world.next_number}", digits, int(now), int(now) + 10**6, once=False)
                made = tuya_passwords.create(there, wish, world.next_number, now, 1.0)
            except TuyaError:
                return
            world.take_number()
        self.book.foreign.add((there.device_id, made.id))

    @rule(door=DOORS, what=st.sampled_from(["delete", "longer", "rename", "freeze"]))
    def somebody_changes_a_code_of_ours(self, door: int, what: str) -> None:
        there, now = self.street.door(door), clock.now().timestamp()
        ours = [one for one in there.records.values() if (there.device_id, one.id) not in self.book.foreign]
        record = next((one for one in ours if one.state is RecordState.ON_LOCK and not one.order), None)
        if record is None or record.invalid_time <= now + 60:
            return
        longer = int(what == "longer") * 3600
        name = f"{BY_HAND}{record.name[3:]}" if what == "rename" else record.name
        start = max(record.effective_time, int(now))
        wish = Wish(name, record.pin, start, record.invalid_time + longer, once=False)
        acts: dict[str, Callable[[], object]] = {
            "delete": lambda: tuya_passwords.delete(there, record.id, now, 1.0),
            "freeze": lambda: tuya_passwords.set_frozen(there, record.id, True, now, 1.0),
        }
        try:
            acts.get(what, lambda: tuya_passwords.modify(there, record.id, wish, now, 1.0))()
        except TuyaError:
            return
        self.book.touched.add((there.device_id, record.id))

    # --- what must hold ---------------------------------------------------------------------------------------------
    @invariant()
    def the_doors_are_well(self) -> None:
        self.street.look()
        self.judge.removal_goes_on()

    def teardown(self) -> None:
        try:
            if self.street.units:
                self.quiet()
        finally:
            self.stack.close()

    def quiet(self) -> None:
        """All faults end, a person does what she was told to, and time passes; then all stays pass."""
        self.street.heal()
        self.street.until(clock.now() + 100 * MINUTE)
        for lock in self.street.locks:
            self.street.do(partial(self.put_right, lock))
        self.street.until(clock.now() + 100 * MINUTE)
        self.book.touched.clear()
        self.the_doors_are_well()
        for moment in self.turns():
            self.street.until(moment)
            self.judge.quiet()
        self.street.until(clock.now() + HOUR)
        self.judge.over()

    def put_right(self, lock: Lock) -> None:
        """What the page of a lock does when an operator says so."""
        found = reconcile.reconcile(lock, now=clock.now(), actor="operator")
        reconcile.put_right(lock, found, now=clock.now(), actor="operator")

    def turns(self) -> list[datetime]:
        """Now; just after each arrival and just before each departure that is to come; the end of it all."""
        stays = [stay for stay in self.book.stays.values() if stay.booked]
        turns = [stay.starts_at + BREATH for stay in stays] + [stay.ends_at - BREATH for stay in stays]
        ends = [clock.now(), *(stay.ends_at for stay in stays), *StaffCode.objects.values_list("ends_at", flat=True)]
        return [clock.now(), *sorted(turn for turn in turns if turn > clock.now()), max(ends) + 30 * MINUTE]

    # --- the means --------------------------------------------------------------------------------------------------
    def one(self, which: int) -> Stay:
        return self.book.stays[which % len(self.book.stays) + 1]

    def say(self, stay: Stay) -> None:
        self.book.stays[stay.number] = stay
        first = self.book.first_start.get(stay.number, stay.starts_at)
        self.book.first_start[stay.number] = min(first, stay.starts_at)
        self.said += 1
        facts = facts_of(stay, self.street.units[stay.unit])
        self.street.do(lambda: save_facts(facts, facts_at=clock.now() + self.said * SECOND))


@pytest.mark.django_db
def test_no_story_leaves_a_guest_outside_or_a_stranger_inside() -> None:
    phases = [Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate]  # to shorten takes minutes
    bounded = settings(
        max_examples=EXAMPLES or 10, stateful_step_count=25 if EXAMPLES else 20, deadline=None, database=None,
        derandomize=not EXAMPLES, suppress_health_check=list(HealthCheck), phases=phases, print_blob=False,
    )  # fmt: skip
    run_state_machine_as_test(SharedDoors, settings=bounded)
