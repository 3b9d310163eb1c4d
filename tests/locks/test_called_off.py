"""What a person calls off while a job at a door runs stays off, however that job ends; only a removal comes back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from locks import allocate
from locks.errors import Transient, UnknownOutcome
from locks.models import Credential
from locks.plan import CHANGE, GENERATE, LOOK, REVOKE
from locks.planning import look_again, replan_after_jobs
from reservations.models import Reservation
from scheduler.models import Job
from scheduler.services import cancel
from tests.builders import make_lock
from tests.engine import TimeMachine
from tests.locks.fake_door import FakeDoors
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, change, clock, doors_jobs, stay, street

__all__ = ["clock", "street"]
pytestmark = pytest.mark.django_db


def call_off(clock: TimeMachine, reservation: Reservation, **which: object) -> None:
    live = Job.objects.filter(subject=reservation.subject, state__in=Job.LIVE, **which)
    assert cancel(live, now=clock.now, actor="olga", reason="Called off.") > 0


def call_off_at(street: FakeDoors, word: str, act: Callable[[], None], error: Exception | None = None) -> None:
    """In the middle of the first such call; which then goes wrong, or does not."""

    def strike(call: str) -> None:
        if call == word:
            street.before = lambda _: None
            act()
            if error is not None:
                raise error

    street.before = strike


def left(reservation: Reservation, clock: TimeMachine) -> list[str]:
    """The jobs that are there after the looks that follow a job's end."""
    replan_after_jobs(now=clock.now + MINUTE)
    clock.until(clock.now + 2 * MINUTE)
    return [kind for kind, _ in doors_jobs(reservation)]


def test_before_the_lock_was_asked(street: FakeDoors, clock: TimeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    reservation, _ = stay()
    choose = allocate.allocate

    def chosen_and_called_off(*words: object, **more: object) -> object:
        call_off(clock, reservation)
        return choose(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(allocate, "allocate", chosen_and_called_off)
    assert [outcome for _, outcome in clock.until(CHECK_IN - HOUR)] == ["cancelled"]
    assert left(reservation, clock) == []
    assert "create" not in street.calls
    monkeypatch.setattr(allocate, "allocate", choose)
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN)
    assert len(street.held) == 1, "other facts are planned as ever"


@pytest.mark.parametrize("asleep", [False, True])
def test_while_the_lock_takes_it(street: FakeDoors, clock: TimeMachine, asleep: bool) -> None:
    """A look at the door would hand out another code at check-in: it goes with the PIN that was called off."""
    street.asleep = asleep
    reservation, _ = stay()
    call_off_at(street, "create", lambda: call_off(clock, reservation))
    clock.until(CHECK_IN - HOUR)
    assert left(reservation, clock) == [REVOKE]
    clock.until(CHECK_IN)
    assert street.calls.count("create") == 1
    street.wake()
    clock.until(CHECK_OUT + MINUTE)
    assert street.held == {}


@pytest.mark.parametrize(("error", "back"), [(Transient("busy"), []), (UnknownOutcome("no answer"), [REVOKE])])
def test_while_the_lock_fails(street: FakeDoors, clock: TimeMachine, error: Exception, back: list[str]) -> None:
    reservation, _ = stay()
    call_off_at(street, "create", lambda: call_off(clock, reservation), error)
    clock.until(CHECK_IN - HOUR)
    assert left(reservation, clock) == back
    clock.until(CHECK_IN)
    assert street.calls.count("create") == 1


def test_new_times_that_were_called_off_are_not_sent_again(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)
    call_off_at(street, "change", lambda: call_off(clock, reservation, kind=CHANGE), Transient("busy"))
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + MINUTE)
    assert left(reservation, clock) == [LOOK, REVOKE], "an operator is told before she is shut out"
    assert street.calls.count("change") == 1


def test_a_job_at_another_door_of_the_stay_does_not_bring_it_back(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, lock = stay()
    other = make_lock(reservation.accommodation)
    call_off(clock, reservation, kind=GENERATE, payload__lock=lock.pk)
    clock.until(CHECK_IN)
    assert (len(street.on(lock.device_id)), len(street.on(other.device_id))) == (0, 1)
    assert left(reservation, clock) == [REVOKE, REVOKE]


def test_a_removal_comes_back(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    clock.until(CHECK_IN)
    call_off_at(street, "delete", lambda: call_off(clock, reservation), Transient("busy"))
    clock.until(CHECK_OUT + MINUTE)
    assert street.held == {}
    assert not Credential.objects.filter(removed_at__isnull=True).exists()


def test_what_was_planned_anew_since_is_not_off_any_longer(street: FakeDoors, clock: TimeMachine) -> None:
    reservation, _ = stay()
    call_off(clock, reservation, kind=GENERATE)
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN)
    assert len(street.held) == 1
    Credential.objects.update(
        state=Credential.State.ABSENT, provider_ref="", asked_at=None, asked_starts_at=None, asked_ends_at=None
    )
    look_again([reservation.subject], now=clock.now)
    assert [kind for kind, _ in doors_jobs(reservation)] == [LOOK, GENERATE, REVOKE]
