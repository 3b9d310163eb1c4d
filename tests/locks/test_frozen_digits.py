"""A PIN that the guest has used, on a lock that changes nothing and takes no equal digits: she keeps her digits."""

from __future__ import annotations

import pytest

from locks.backups import IDLE, plan_pool
from locks.errors import Transient, Unsupported
from locks.models import Credential, Fallback, Lock
from locks.planning import renew
from locks.provider import DoorOpening
from notifications import details
from notifications.models import Message, Notice
from reservations.models import Accommodation, Reservation
from tests.engine import TimeMachine
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, change, stay
from tests.locks.test_second_entry import Rigid, clock, street

pytestmark = pytest.mark.django_db
__all__ = ["clock", "street"]


def extended_after_use(street: Rigid, clock: TimeMachine) -> tuple[Reservation, Lock]:
    """The guest has opened her door, which only its log knows yet, and stays a day longer."""
    street.equal = False
    reservation, lock = stay()
    clock.until(CHECK_IN + HOUR)
    [ref] = street.held
    street.opened.append(DoorOpening(CHECK_IN + MINUTE, "temporary", ref, ""))
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 2 * HOUR)
    return reservation, lock


def test_her_digits_stay_to_their_end_and_are_put_there_anew_then(street: Rigid, clock: TimeMachine) -> None:
    _, lock = extended_after_use(street, clock)
    [before] = street.on(lock.device_id)
    clock.until(CHECK_OUT - MINUTE)
    assert street.on(lock.device_id) == [before]
    clock.until(CHECK_OUT + MINUTE)
    [after] = street.on(lock.device_id)
    assert (after.pin, after.window.ends_at) == (before.pin, CHECK_OUT + DAY)
    clock.until(CHECK_OUT + DAY + HOUR)
    assert street.held == {}
    assert not Fallback.objects.exclude(kind="").exists(), "no other code was needed"


def test_the_operator_is_told_once_and_early(street: Rigid, clock: TimeMachine) -> None:
    extended_after_use(street, clock)
    said = Notice.objects.get(code="door_digits_frozen")
    assert details.of_moment(CHECK_OUT, Accommodation.objects.get()) in said.text  # by the clock of the unit
    clock.until(CHECK_OUT + HOUR)
    assert Notice.objects.filter(code__startswith="door_").count() == 1


def test_waiting_costs_no_calls(street: Rigid, clock: TimeMachine) -> None:
    extended_after_use(street, clock)
    street.calls.clear()
    clock.until(CHECK_OUT - MINUTE)
    assert street.calls == []


def test_the_guest_is_told_the_longer_stay_only_once_her_pin_lasts_so_long(street: Rigid, clock: TimeMachine) -> None:
    extended_after_use(street, clock)
    clock.until(CHECK_OUT - MINUTE)
    assert [one.template for one in Message.objects.all()] == ["pin_ready"]
    clock.until(CHECK_OUT + 2 * MINUTE)
    assert [one.template for one in Message.objects.order_by("id")] == ["pin_ready", "window_changed"]


def test_a_lock_that_does_not_take_it_then_leaves_her_another_code(street: Rigid, clock: TimeMachine) -> None:
    extended_after_use(street, clock)

    def refuse(call: str) -> None:
        if call == "create":
            raise Unsupported("no")

    street.before = refuse
    clock.until(CHECK_OUT + HOUR)
    assert [code.window.ends_at for _, code in street.offline] == [CHECK_OUT + DAY]


def test_the_button_gives_her_other_digits_at_once(street: Rigid, clock: TimeMachine) -> None:
    reservation, lock = extended_after_use(street, clock)
    [before] = street.on(lock.device_id)
    renew(reservation.pk, now=clock.now, actor="ana")
    clock.until(clock.now + 5 * MINUTE)
    [after] = street.on(lock.device_id)
    assert (after.pin != before.pin, after.window.ends_at) == (True, CHECK_OUT + DAY)


def test_a_log_that_cannot_be_read_holds_nothing_up(
    street: Rigid, clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(street, "openings", lambda *_: (_ for _ in ()).throw(Unsupported("no log")))
    _, lock = extended_after_use(street, clock)
    assert [held.window.ends_at for held in street.on(lock.device_id)] == [CHECK_OUT + DAY]


def test_a_shorter_stay_ends_the_first_entry_by_removal(street: Rigid, clock: TimeMachine) -> None:
    reservation, lock = extended_after_use(street, clock)
    change(reservation, check_out_date=(CHECK_OUT - DAY).date())
    reservation.refresh_from_db()
    change(reservation, check_out_date=(CHECK_OUT - DAY).date())
    clock.until(CHECK_OUT - DAY + MINUTE)
    assert (street.on(lock.device_id), Credential.objects.filter(removed_at__isnull=True).count()) == ([], 0)


def test_the_digits_of_a_handed_out_backup_never_become_those_of_an_idle_one(street: Rigid, clock: TimeMachine) -> None:
    _, lock = stay()
    Lock.objects.filter(pk=lock.pk).update(backup_pins=1, offline_codes=False)
    plan_pool(lock.pk, now=clock.now)
    clock.until(CHECK_IN - 2 * HOUR)
    [backup] = street.on(lock.device_id)
    street.before = lambda call: refuse_for_now() if call == "create" else None
    clock.until(CHECK_IN + HOUR)
    given = Fallback.objects.get(kind="backup")
    assert given.credential is not None
    assert given.credential.wanted
    assert not Credential.objects.filter(IDLE, pin_fingerprint=given.credential.pin_fingerprint).exists()
    street.before = lambda _: None
    clock.until(CHECK_OUT + HOUR)
    assert backup.pin not in {held.pin for held in street.on(lock.device_id)}


def refuse_for_now() -> None:
    raise Transient("no answer")
