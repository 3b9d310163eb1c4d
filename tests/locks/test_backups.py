"""A lock that stays silent, and the guest who gets in all the same: backups, offline codes, and what follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import TestCase
from pytest_django import Settings

from locks import backups, doors, reconcile, replacing, reveal, sealing
from locks.errors import Transient
from locks.holders import Place
from locks.models import AccommodationLock, Credential, Fallback, Lock
from locks.pins import near
from locks.plan import LOOK
from locks.planning import readmit, withdraw
from locks.provider import Capabilities, PinState
from locks.signals import door_needs_help, way_in_changed
from reservations.models import Reservation
from reservations.services import end, save_facts
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_facts, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors, Held, Killed

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
CHECK_IN = NOW + timedelta(days=1, hours=6)
CHECK_OUT = NOW + timedelta(days=4, hours=2)
GUEST, BACKUP = Credential.Purpose.GUEST, Credential.Purpose.BACKUP


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeDoors:
    fake = FakeDoors(can=Capabilities())
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    settings.BACKUP_PINS = 1
    return fake


@pytest.fixture
def told() -> Iterator[list[str]]:
    """What operators are told, by its code."""
    heard: list[str] = []

    def hear(code: str, **_: object) -> None:
        heard.append(code)

    door_needs_help.connect(hear)
    way_in_changed.connect(hear)
    yield heard
    door_needs_help.disconnect(hear)
    way_in_changed.disconnect(hear)


def prefilled(street: FakeDoors, clock: TimeMachine, **over: Any) -> Lock:
    """A Wi-Fi lock that somebody woke yesterday: its backup is on it, and now it sleeps."""
    lock = make_lock(make_accommodation(), radio=Lock.Radio.WIFI, **over)
    clock.until(NOW + MINUTE)
    street.asleep = True
    return lock


def book(lock: Lock, **over: Any) -> Reservation:
    return make_reservation(lock.accommodations.get(), facts_at=NOW + MINUTE, **over)


def shut_out(street: FakeDoors, clock: TimeMachine, **over: Any) -> tuple[Lock, Reservation]:
    """Check-in has come, nobody has woken the lock."""
    lock = prefilled(street, clock, **over)
    stay = book(lock)
    clock.until(CHECK_IN)
    return lock, stay


def tend(clock: TimeMachine) -> int:
    """Beat's tick, and what it sets off at once."""
    count = backups.tend(now=clock.now)
    clock.until(clock.now + SECOND)
    return count


def slowly(clock: TimeMachine, moment: datetime) -> None:
    """Days in which a job is tried every few minutes. Its tries are alike: of each half day we see the last hour's."""
    while clock.now < moment:
        then = min(clock.now + timedelta(hours=12), moment)
        clock.forward(then - HOUR)
        clock.until(then)


def live(lock: Lock, *, purpose: str = BACKUP) -> list[Credential]:
    return list(Credential.objects.filter(lock=lock, purpose=purpose, removed_at__isnull=True).order_by("pk"))


def digits(street: FakeDoors, credential: Credential) -> str:
    return street.held[credential.provider_ref].pin


def opens(street: FakeDoors, lock: Lock, pin: str, at: datetime) -> bool:
    """What the keypad says: the lock opens to what has reached it."""
    reached = (PinState.ON_LOCK, PinState.REMOVING)
    return any(
        held.pin == pin and held.state in reached and held.window.starts_at <= at < held.window.ends_at
        for held in street.on(lock.device_id)
    )


def change(stay: Reservation, **over: Any) -> None:
    stay.refresh_from_db()
    facts = make_facts(stay.accommodation, **{"external_id": stay.external_id, "short_id": stay.short_id} | over)
    with TestCase.captureOnCommitCallbacks(execute=True):
        save_facts(facts, facts_at=stay.facts_at + MINUTE)


# --- the pool ---------------------------------------------------------------------------------------------------------


def test_a_lock_that_serves_a_unit_gets_its_backup_proven_and_for_long(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock)
    [backup] = live(lock)
    assert (backup.state, backup.proven) == ("on_lock", backup.wish)
    assert backup.ends_at > NOW + timedelta(days=150)
    assert len(digits(street, backup)) == 7
    assert backup.reservation is None
    assert not hasattr(backup, "fallback")


def test_a_lock_of_no_unit_and_one_that_wants_none_get_none(street: FakeDoors, clock: TimeMachine) -> None:
    make_lock()
    make_lock(make_accommodation(), backup_pins=0)
    make_lock(make_accommodation(active=False))
    clock.until(NOW + HOUR)
    tend(clock)
    assert street.calls == []


def test_a_lock_may_have_a_number_of_its_own_and_all_digits_differ(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock, backup_pins=3)
    pins = {digits(street, backup) for backup in live(lock)}
    assert len(pins) == 3
    assert not any(other in pins for pin in pins for other in near(pin))


def test_tending_twice_finds_nothing_and_asks_no_lock(street: FakeDoors, clock: TimeMachine) -> None:
    prefilled(street, clock)
    street.calls.clear()
    assert (tend(clock), tend(clock)) == (0, 0)
    assert street.calls == []


def test_a_sleeping_lock_is_asked_seldom_and_finished_when_it_answers_anybody(
    street: FakeDoors, clock: TimeMachine, told: list[str]
) -> None:
    street.asleep = True
    lock = make_lock(make_accommodation(), radio=Lock.Radio.WIFI)
    clock.until(NOW + DAY)
    assert live(lock)[0].state == "requested"
    assert street.calls.count("create") == 1
    assert street.calls.count("read") < 30, "a day of sleep costs about a call an hour"
    assert told == [], "nobody is called for a backup that nobody needs yet"
    street.wake()
    stay = make_reservation(lock.accommodations.get(), check_in_time=time(11), facts_at=NOW + MINUTE)
    clock.until(stay.check_in_at - HOUR + 10 * SECOND)
    assert live(lock, purpose=GUEST)[0].state == "on_lock"
    tend(clock)
    clock.until(clock.now + backups.LATELY)  # a try that comes this soon by itself is not hurried
    assert live(lock)[0].state == "on_lock"


def test_a_pool_shrinks_before_a_guest_goes_without(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock, capacity=2, backup_pins=2)
    street.asleep = False
    assert len(live(lock)) == 2
    unit = lock.accommodations.get()
    make_reservation(unit, facts_at=NOW + MINUTE)
    tend(clock)
    assert len(live(lock)) == 1, "a stay that is near has its place kept free"
    make_reservation(unit, facts_at=NOW + MINUTE)
    tend(clock)
    clock.until(CHECK_IN)
    assert [len(live(lock)), len(live(lock, purpose=GUEST))] == [0, 2]
    assert all(c.state == "on_lock" for c in live(lock, purpose=GUEST))
    clock.until(CHECK_OUT + HOUR)
    tend(clock)
    assert len(live(lock)) == 2, "and it grows again"


def test_a_backup_is_renewed_with_the_same_digits(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock)
    street.asleep = False
    [before] = live(lock)
    pin = digits(street, before)
    clock.until(before.ends_at - timedelta(days=59))
    tend(clock)
    [after] = live(lock)
    assert (after.pk, digits(street, after)) == (before.pk, pin)
    assert after.proven is not None
    assert after.proven.ends_at > clock.now + timedelta(days=150)
    assert tend(clock) == 0


def test_no_unit_no_pool(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock)
    street.asleep = False
    AccommodationLock.objects.filter(lock=lock).get().delete()
    clock.until(clock.now + MINUTE)
    assert street.on(lock.device_id) == []
    assert live(lock) == []


# --- shut out ---------------------------------------------------------------------------------------------------------


def test_nobody_wakes_the_lock_and_the_guest_gets_in_at_check_in(
    street: FakeDoors, clock: TimeMachine, told: list[str]
) -> None:
    lock = prefilled(street, clock)
    stay = book(lock)
    [backup] = live(lock)
    pin = digits(street, backup)
    clock.until(CHECK_IN - 31 * MINUTE)
    assert told == []
    clock.until(CHECK_IN - 29 * MINUTE)
    assert told == ["pin_not_proven"]
    clock.until(CHECK_IN - SECOND)
    assert not Fallback.objects.filter(kind="backup").exists(), "never before check-in"
    clock.until(CHECK_IN)
    given = Fallback.objects.get(reservation=stay)
    assert (given.kind, given.credential, given.handed_out_at) == ("backup", backup, CHECK_IN)
    assert opens(street, lock, pin, CHECK_IN)
    assert told == ["pin_not_proven", "backup_handed_out"]
    assert AuditLog.objects.get(action="fallback.handed_out").subject == stay.subject


def test_a_door_that_took_the_pin_costs_no_look_and_no_backup(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock)
    street.asleep = False
    book(lock)
    clock.until(CHECK_OUT + HOUR)
    assert not Job.objects.filter(kind=LOOK).exists()
    assert not Fallback.objects.exists()


def test_woken_in_time_after_the_warning_all_is_well(street: FakeDoors, clock: TimeMachine, told: list[str]) -> None:
    lock = prefilled(street, clock)
    book(lock)
    clock.until(CHECK_IN - 20 * MINUTE)
    street.wake()
    clock.until(CHECK_IN + HOUR)
    assert told == ["pin_not_proven"]
    assert not Fallback.objects.exclude(kind="").exists()
    assert not Job.objects.filter(kind=LOOK, state__in=Job.LIVE).exists()


def test_the_guests_own_pin_is_withdrawn_there_so_that_one_code_opens(street: FakeDoors, clock: TimeMachine) -> None:
    lock, stay = shut_out(street, clock)
    own = Credential.objects.get(reservation=stay, purpose=GUEST)
    clock.until(CHECK_IN + MINUTE)
    own.refresh_from_db()
    assert not own.wanted
    street.wake()  # she types the backup, and the lock hears all that waited for it
    clock.until(CHECK_IN + 3 * HOUR)
    own.refresh_from_db()
    assert own.removed_at is not None
    given = Fallback.objects.get(reservation=stay)
    here = [held.pin for held in street.on(lock.device_id) if held.window.starts_at <= clock.now < held.window.ends_at]
    fresh = [digits(street, backup) for backup in live(lock) if backup != given.credential]
    assert sorted(here) == sorted([digits(street, given.credential), *fresh])  # type: ignore[arg-type]


def test_its_window_becomes_the_stays_as_soon_as_the_lock_hears_of_it(street: FakeDoors, clock: TimeMachine) -> None:
    _, stay = shut_out(street, clock)
    street.wake()
    clock.until(CHECK_IN + 3 * HOUR)
    given = Fallback.objects.get(reservation=stay).credential
    assert given is not None
    assert street.held[given.provider_ref].window.ends_at == CHECK_OUT
    change(stay, check_out_time=time(13))
    clock.until(CHECK_IN + 4 * HOUR)
    assert street.held[given.provider_ref].window.ends_at == CHECK_OUT + 2 * HOUR


def test_after_the_stay_it_is_gone_with_proof_and_replaced_by_other_digits(
    street: FakeDoors, clock: TimeMachine
) -> None:
    lock, stay = shut_out(street, clock)
    given = Fallback.objects.get(reservation=stay).credential
    assert given is not None
    pin = digits(street, given)
    street.wake()
    clock.until(CHECK_OUT + MINUTE)
    tend(clock)
    given.refresh_from_db()
    assert given.removed_at is not None
    assert bytes(given.pin_sealed) == b""
    assert not any(held.pin == pin for held in street.on(lock.device_id))
    [idle] = live(lock)
    assert (idle.state, idle.wanted) == ("on_lock", True)
    assert digits(street, idle) != pin
    assert digits(street, idle) not in near(pin)


def test_removal_never_gives_up_and_a_person_is_told(street: FakeDoors, clock: TimeMachine, told: list[str]) -> None:
    lock, stay = shut_out(street, clock)
    clock.until(CHECK_OUT + HOUR)
    given = Fallback.objects.get(reservation=stay).credential
    assert given is not None
    given.refresh_from_db()
    assert (given.state, given.removed_at) == ("removing", None)
    assert told == ["pin_not_proven", "backup_handed_out", "removal_overdue"]
    street.wake()
    clock.until(CHECK_OUT + 3 * HOUR)
    given.refresh_from_db()
    assert given.removed_at is not None
    assert opens(street, lock, digits(street, live(lock)[-1]), clock.now)


def test_one_backup_goes_to_one_stay(street: FakeDoors, clock: TimeMachine, told: list[str]) -> None:
    lock = prefilled(street, clock)
    one, two = book(lock), book(lock)
    clock.until(CHECK_IN + MINUTE)
    given = Fallback.objects.exclude(kind="")
    assert given.count() == 1
    assert {fallback.reservation for fallback in given} <= {one, two}
    assert told.count("no_way_in") == 1


def test_two_looks_hand_out_one_code(street: FakeDoors, clock: TimeMachine) -> None:
    lock, stay = shut_out(street, clock, backup_pins=2)
    before = list(Fallback.objects.values())
    for _ in range(2):
        replacing.look(Place(stay.subject, lock.pk), check=lambda: None, now=lambda: clock.now)
    assert list(Fallback.objects.values()) == before


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_the_middle_the_next_look_hands_out_one_code(
    street: FakeDoors, clock: TimeMachine, when: str
) -> None:
    street.can = Capabilities(offline_codes=True)
    lock = prefilled(street, clock, offline_codes=True, backup_pins=0)
    stay = book(lock)
    clock.until(CHECK_IN - SECOND)

    def die(call: str) -> None:
        if call == "offline":
            setattr(street, when, lambda _: None)
            raise Killed

    setattr(street, when, die)
    with pytest.raises(Killed):
        clock.until(CHECK_IN)
    clock.bury_the_dead()
    clock.until(CHECK_IN + 5 * MINUTE)
    given = Fallback.objects.get(reservation=stay)
    assert given.kind == "offline"
    assert sealing.unseal(given.code_sealed) == street.offline[-1][1].code


def test_cancelled_meanwhile_nothing_is_handed_out(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock)
    stay = book(lock)
    clock.until(CHECK_IN - MINUTE)
    end(stay, Reservation.Status.CANCELED, facts_at=stay.facts_at + MINUTE)
    clock.until(CHECK_IN + HOUR)
    assert not Fallback.objects.exclude(kind="").exists()
    assert [backup.wanted for backup in live(lock)] == [True]


def test_cancelled_after_it_was_handed_out_the_backup_goes_at_once(street: FakeDoors, clock: TimeMachine) -> None:
    lock, stay = shut_out(street, clock)
    street.wake()
    clock.until(CHECK_IN + HOUR)
    given = Fallback.objects.get(reservation=stay).credential
    assert given is not None
    pin = digits(street, given)
    stay.refresh_from_db()
    end(stay, Reservation.Status.CANCELED, facts_at=stay.facts_at + MINUTE)
    tend(clock)
    assert not opens(street, lock, pin, clock.now)


def test_withdrawn_and_let_in_again_she_gets_a_pin_of_her_own(street: FakeDoors, clock: TimeMachine) -> None:
    lock, stay = shut_out(street, clock)
    street.wake()
    clock.until(CHECK_IN + HOUR)
    withdraw(stay.pk, now=clock.now, actor="ana")
    tend(clock)
    clock.until(clock.now + MINUTE)
    assert [held for held in street.on(lock.device_id) if held.window.ends_at == CHECK_OUT] == []
    readmit(stay.pk, now=clock.now, actor="ana")
    clock.until(clock.now + MINUTE)
    [own] = live(lock, purpose=GUEST)
    assert opens(street, lock, digits(street, own), clock.now)


def test_moved_to_another_unit_the_backup_goes_and_the_new_door_is_looked_after(
    street: FakeDoors, clock: TimeMachine
) -> None:
    lock, stay = shut_out(street, clock)
    given = Fallback.objects.get(reservation=stay).credential
    assert given is not None
    street.wake()
    other = make_lock(make_accommodation())
    pin = digits(street, given)
    change(stay, listing_id=other.accommodations.get().external_id)
    clock.until(CHECK_IN + 2 * HOUR)
    tend(clock)
    assert not opens(street, lock, pin, clock.now)
    [own] = live(other, purpose=GUEST)
    assert own.state == "on_lock"


def test_a_longer_stay_that_does_not_reach_the_lock(street: FakeDoors, clock: TimeMachine, told: list[str]) -> None:
    lock = prefilled(street, clock)
    street.asleep = False
    stay = book(lock)
    clock.until(CHECK_IN + HOUR)
    street.change_pin = lambda *_, **__: (_ for _ in ()).throw(Transient("busy"))  # type: ignore[method-assign]
    change(stay, check_out_date=(CHECK_OUT + DAY).date())
    slowly(clock, CHECK_OUT - SECOND)
    assert told[-1] == "pin_not_proven"
    assert not Fallback.objects.exclude(kind="").exists()
    clock.until(CHECK_OUT)
    given = Fallback.objects.exclude(kind="").get()
    assert (given.kind, given.shut_from) == ("backup", CHECK_OUT)


def test_booked_at_the_door_the_lock_is_given_a_breath_and_then_it_is_late(
    street: FakeDoors, clock: TimeMachine
) -> None:
    lock = prefilled(street, clock)
    clock.until(CHECK_IN + HOUR)
    make_reservation(lock.accommodations.get(), facts_at=clock.now)
    clock.until(CHECK_IN + HOUR + 2 * MINUTE)
    assert not Fallback.objects.exclude(kind="").exists()
    clock.until(CHECK_IN + HOUR + 5 * MINUTE)
    assert Fallback.objects.exclude(kind="").get().kind == "backup"


def test_a_silent_door_replaces_nothing_at_the_others(street: FakeDoors, clock: TimeMachine) -> None:
    lock = prefilled(street, clock)
    gate = make_lock(lock.accommodations.get(), radio=Lock.Radio.WIFI)
    street.asleep = False
    clock.until(clock.now + MINUTE)
    stay = book(lock)
    clock.until(CHECK_IN - HOUR - SECOND)
    create = street.create_pin

    def sleepy(device: Any, **wish: Any) -> str:
        ref = create(device, **wish)
        if device.device_id == lock.device_id:
            street.held[ref].state = PinState.PENDING
        return ref

    street.create_pin = sleepy  # type: ignore[method-assign]
    clock.until(CHECK_IN + MINUTE)
    assert [f.lock for f in Fallback.objects.exclude(kind="")] == [lock]
    assert live(gate, purpose=GUEST)[0].wanted
    assert stay.fallbacks.count() == 1


# --- offline codes ----------------------------------------------------------------------------------------------------


def test_an_offline_code_comes_first_where_the_lock_is_known_to_take_them(
    street: FakeDoors, clock: TimeMachine, told: list[str]
) -> None:
    street.can = Capabilities(offline_codes=True)
    lock, stay = shut_out(street, clock, offline_codes=True)
    given = Fallback.objects.get(reservation=stay)
    [(_, code)] = street.offline
    assert (given.kind, given.credential, given.handed_out_at) == ("offline", None, CHECK_IN)
    assert sealing.unseal(given.code_sealed) == code.code
    assert (given.starts_at, given.ends_at) == (CHECK_IN, CHECK_OUT)
    assert CHECK_IN - given.created_at <= DAY, "the rule of 24 hours"
    assert told[-1] == "offline_handed_out"
    own = live(lock, purpose=GUEST)[0]
    assert own.wanted, "it cannot be revoked and covers full hours only: her own PIN is left, and may start working"
    history = AuditLog.objects.get(action="fallback.handed_out")
    assert history.details["can_be_revoked"] is False
    slowly(clock, CHECK_OUT + MINUTE)
    tend(clock)
    given.refresh_from_db()
    assert bytes(given.code_sealed) == b""


def test_an_untried_offline_code_is_better_than_none(street: FakeDoors, clock: TimeMachine, told: list[str]) -> None:
    street.can = Capabilities(offline_codes=True)
    lock = prefilled(street, clock, backup_pins=0)
    book(lock)
    clock.until(CHECK_IN - 20 * MINUTE)
    assert told == ["no_way_in"], "the operator is called at T-30: nobody knows whether it will work"
    clock.until(CHECK_IN)
    assert Fallback.objects.get().kind == "offline"


def test_a_lock_that_has_no_offline_codes_is_remembered_and_the_backup_is_used(
    street: FakeDoors, clock: TimeMachine
) -> None:
    lock, stay = shut_out(street, clock, offline_codes=True)
    assert Fallback.objects.get(reservation=stay).kind == "backup"
    lock.refresh_from_db()
    assert lock.offline_codes is False


def test_a_cloud_in_trouble_does_not_hold_up_the_backup(street: FakeDoors, clock: TimeMachine) -> None:
    street.can = Capabilities(offline_codes=True)

    def busy(call: str) -> None:
        if call == "offline":
            raise Transient("busy")

    street.before = busy
    _, stay = shut_out(street, clock, offline_codes=True)
    assert Fallback.objects.get(reservation=stay).kind == "backup"


def test_an_offline_code_that_outlives_its_stay_calls_a_person(
    street: FakeDoors, clock: TimeMachine, told: list[str]
) -> None:
    street.can = Capabilities(offline_codes=True)
    _, stay = shut_out(street, clock, offline_codes=True)
    stay.refresh_from_db()
    end(stay, Reservation.Status.CANCELED, facts_at=stay.facts_at + MINUTE)
    assert tend(clock) == 1
    assert told[-1] == "offline_stranded"
    assert tend(clock) == 0


# --- no way in --------------------------------------------------------------------------------------------------------


def test_when_there_is_nothing_the_operator_is_called_at_t_minus_30_and_it_is_looked_at_again(
    street: FakeDoors, clock: TimeMachine, told: list[str]
) -> None:
    lock = prefilled(street, clock, backup_pins=0)
    book(lock)
    clock.until(CHECK_IN - 29 * MINUTE)
    assert told[0] == "no_way_in"
    clock.until(CHECK_IN + 20 * MINUTE)
    assert told.count("no_way_in") == 1
    lock.refresh_from_db()
    lock.backup_pins = 1
    lock.save()
    street.asleep = False
    clock.until(CHECK_IN + 22 * MINUTE)
    street.asleep = True
    clock.until(CHECK_IN + 30 * MINUTE)
    assert Fallback.objects.get().kind == "backup"


def test_a_backup_that_is_not_proven_is_no_way_in(street: FakeDoors, clock: TimeMachine, told: list[str]) -> None:
    street.asleep = True
    lock = make_lock(make_accommodation(), radio=Lock.Radio.WIFI)
    make_reservation(lock.accommodations.get(), facts_at=NOW + MINUTE)
    clock.until(CHECK_IN)
    assert "no_way_in" in told
    assert not Fallback.objects.exclude(kind="").exists()


def test_the_promises_hold_for_backups_too(street: FakeDoors, clock: TimeMachine) -> None:
    """P3: digits of guests and backups on one door are all at distance two or more."""
    lock = prefilled(street, clock, backup_pins=3, capacity=30)
    street.asleep = False
    for _ in range(12):
        book(lock)
    clock.until(CHECK_IN)
    pins = [held.pin for held in street.on(lock.device_id)]
    assert len(pins) == len(set(pins)) == 15
    assert not any(other in pins for pin in pins for other in near(pin))


def test_no_digits_of_a_backup_leave_the_seal(street: FakeDoors, clock: TimeMachine, tmp_path: Any) -> None:
    street.can = Capabilities(offline_codes=True)
    lock, _ = shut_out(street, clock)
    _, second = shut_out_offline(street, clock)
    pins = [digits(street, backup) for backup in live(lock)] + [street.offline[-1][1].code]
    dump = tmp_path / "dump.json"
    call_command("dumpdata", output=str(dump))
    assert second.fallbacks.get().kind == "offline"
    assert [pin for pin in pins if pin in dump.read_text()] == []


def test_an_idle_backup_is_shown_to_nobody_and_one_that_was_handed_out_to_whoever_may(
    street: FakeDoors, clock: TimeMachine
) -> None:
    lock = prefilled(street, clock)
    [backup] = live(lock)
    with pytest.raises(reveal.NotShown):
        reveal.reveal(backup.pk, reason="curious", now=clock.now, actor="ana")
    book(lock)
    clock.until(CHECK_IN)
    shown = reveal.reveal(backup.pk, reason="The guest is on the phone.", now=clock.now, actor="ana")
    assert shown == digits(street, backup)


def shut_out_offline(street: FakeDoors, clock: TimeMachine) -> tuple[Lock, Reservation]:
    lock = make_lock(make_accommodation(), radio=Lock.Radio.WIFI, offline_codes=True, backup_pins=0)
    stay = make_reservation(lock.accommodations.get(), facts_at=clock.now)
    clock.until(clock.now + 10 * MINUTE)
    return lock, stay


def test_a_backup_taken_off_by_hand_is_put_back(
    street: FakeDoors, clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "provider_for", lambda _: street)
    lock = prefilled(street, clock)
    street.asleep = False
    [backup] = live(lock)
    held: Held = street.held.pop(backup.provider_ref)
    reconcile.mend(lock, reconcile.inspect(lock, now=clock.now), now=clock.now, actor="ana")
    clock.until(clock.now + MINUTE)
    assert [other.pin for other in street.on(lock.device_id)] == [held.pin]
