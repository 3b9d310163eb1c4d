"""An entry that bridges: how long it stays, from when it counts as exposed, and what the pages say meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from locks.caretaker import policy
from locks.errors import Transient
from locks.models import Credential
from locks.planning import renew
from locks.reconcile import inspect
from notifications.models import Notice
from reservations.models import Reservation
from reservations.services import end
from smartlock.tonight import gather
from smartlock.tonight.chain import Light, Step, chain
from smartlock.verdict.evidence import case_of
from smartlock.verdict.judge import Cause, verdict
from tests.engine import TimeMachine
from tests.locks.test_backups import slowly
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, change, stay
from tests.locks.test_second_entry import Rigid, clock, street

pytestmark = pytest.mark.django_db
__all__ = ["clock", "street"]


def no_second_entry(call: str) -> None:
    if call == "create":
        raise Transient("no answer")


def extended(street: Rigid, clock: TimeMachine) -> Reservation:
    """A guest in house stays a day longer, and her lock changes nothing and takes no second entry for now."""
    reservation, _ = stay()
    clock.until(CHECK_IN + HOUR)
    street.before = no_second_entry
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 2 * HOUR)
    return reservation


def bridge() -> Credential:
    return Credential.objects.get(bridges=True, removed_at__isnull=True)


def test_new_digits_for_a_guest_end_the_bridge_of_the_old_ones(street: Rigid, clock: TimeMachine) -> None:
    reservation = extended(street, clock)
    assert renew(reservation.pk, now=clock.now, actor="ana") == 1
    clock.until(clock.now + 10 * MINUTE)
    assert street.held == {}, "the digits were passed on, so they open nothing, although the new ones wait"


def test_a_bridge_that_was_needed_no_longer_is_never_one_again(street: Rigid, clock: TimeMachine) -> None:
    reservation = extended(street, clock)
    [old] = street.held
    street.before = lambda call: None if call != "delete" else no_removal()
    clock.until(clock.now + 10 * MINUTE)
    assert len(street.held) == 2, "the second is proven, and the first cannot be taken off"
    street.before = lambda call: no_second_entry(call) if call == "create" else None
    renew(reservation.pk, now=clock.now, actor="ana")
    clock.until(clock.now + HOUR)
    assert old not in street.held


def no_removal() -> None:
    raise Transient("no answer to the removal")


def test_a_bridge_is_exposed_only_from_when_the_second_entry_is_proven(street: Rigid, clock: TimeMachine) -> None:
    extended(street, clock)
    assert bridge().exposure(clock.now) == timedelta(0)
    proven_at = clock.now + HOUR
    clock.until(proven_at - MINUTE)
    street.before = lambda call: no_removal() if call == "delete" else None
    clock.until(proven_at + 10 * MINUTE)
    first = Credential.objects.earliest("id")
    second = Credential.objects.latest("id")
    assert second.proven_at is not None
    assert first.exposure(clock.now) == clock.now - second.proven_at
    assert not Notice.objects.filter(code="door_removal_overdue").exists(), "the quarter of an hour has only begun"


def test_one_that_outlives_a_shortened_stay_counts_from_the_new_end(street: Rigid, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN + HOUR)
    street.before = no_second_entry
    change(reservation, check_out_date=(CHECK_OUT - DAY).date())
    slowly(clock, CHECK_OUT - DAY - MINUTE)
    assert len(street.held) == 1
    street.before = lambda call: no_removal() if call == "delete" else no_second_entry(call)
    clock.until(CHECK_OUT - DAY + 5 * MINUTE)
    assert Credential.objects.earliest("id").exposure(clock.now) == 5 * MINUTE


@pytest.mark.parametrize("back", [False, True])
def test_its_end_follows_the_stay_there_and_back(street: Rigid, clock: TimeMachine, back: bool) -> None:
    """Shortened and lengthened again: it opens as long as the lock lets it."""
    reservation, _ = stay()
    clock.until(CHECK_IN + HOUR)
    street.before = no_second_entry
    change(reservation, check_out_date=(CHECK_OUT - DAY).date())
    clock.until(CHECK_IN + 2 * HOUR)
    if back:
        change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    assert bridge().ends_at == (CHECK_OUT if back else CHECK_OUT - DAY)


def test_the_end_of_the_right_ends_the_bridge(street: Rigid, clock: TimeMachine) -> None:
    reservation = extended(street, clock)
    ended_at = clock.now
    end(reservation, "canceled", facts_at=ended_at)
    first = Credential.objects.earliest("id")
    assert (first.bridges, first.closes_at) == (False, ended_at)
    clock.until(ended_at + MINUTE)
    assert street.held == {}


def test_comparing_does_not_call_a_bridge_superfluous(
    street: Rigid, clock: TimeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reservation = extended(street, clock)
    monkeypatch.setattr("locks.reconcile.provider_for", lambda _: street)
    assert inspect(bridge().lock, now=clock.now).is_empty()
    assert reservation.credentials.count() == 2


def proven_link(reservation: Reservation, now: datetime) -> Light:
    [found] = gather.with_proofs(Reservation.objects.filter(pk=reservation.pk))
    return chain(gather.facts_of([found], now=now)[reservation.pk], now).of(Step.PROVEN).light


def test_tonight_knows_that_the_guest_gets_in_with_the_first_entry(street: Rigid, clock: TimeMachine) -> None:
    reservation = extended(street, clock)
    assert proven_link(reservation, clock.now) is Light.AMBER
    assert proven_link(reservation, CHECK_OUT - 20 * MINUTE) is Light.RED, "it ends before anybody could mend it"


def test_the_verdict_knows_which_entry_the_door_held(street: Rigid, clock: TimeMachine) -> None:
    reservation = extended(street, clock)
    [found] = gather.with_proofs(Reservation.objects.filter(pk=reservation.pk))
    causes = {one.cause for one in verdict(case_of(found, clock.now, policy()))}
    assert causes == {Cause.NOTHING_KNOWN}, "the door holds her PIN, and no wrong one was heard"
