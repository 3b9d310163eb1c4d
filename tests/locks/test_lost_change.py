"""A change that was answered with yes and not carried out is not taken for proven, and is sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from locks import doors
from locks.models import Credential
from locks.proof import times_apart
from locks.provider import Device, Window
from tests.builders import NOW
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, change, stay

SECOND = timedelta(seconds=1)


class Forgetful(FakeDoors):
    """Says yes to so many changes and carries none of them out."""

    lost = 0

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        if self.lost <= 0:
            return super().change_pin(device, ref, name=name, pin=pin, window=window)
        self.lost -= 1
        return self._begin("change")


@pytest.fixture
def clock() -> Iterator[TimeMachine]:
    with time_machine_at(NOW) as machine:
        yield machine


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Forgetful:
    fake = Forgetful()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["check_in", "check_out"])
def test_times_that_the_lock_did_not_take_are_not_proven_and_sent_again(
    what: str, street: Forgetful, clock: TimeMachine
) -> None:
    reservation, lock = stay()
    clock.until(CHECK_IN - 50 * MINUTE)
    street.lost = 1
    moved = {"check_in": CHECK_IN, "check_out": CHECK_OUT}[what] + DAY
    change(reservation, **{f"{what}_date": moved.date()})
    clock.until(CHECK_IN - 49 * MINUTE)
    row = Credential.objects.get(wanted=True)
    assert not row.is_proven()
    assert row.pending_change is not None
    clock.until(CHECK_IN - 20 * MINUTE)
    row.refresh_from_db()
    [held] = street.on(lock.device_id)
    assert (row.is_proven(), held.window) == (True, row.wish)
    assert street.calls.count("change") == 2


@pytest.mark.django_db
def test_a_lock_that_never_keeps_a_change_is_not_written_to_without_end(street: Forgetful, clock: TimeMachine) -> None:
    reservation, _lock = stay()
    clock.until(CHECK_IN + HOUR)
    street.lost = 1000
    change(reservation, check_out_date=(CHECK_OUT + DAY).date())
    clock.until(CHECK_IN + 4 * HOUR)
    assert street.calls.count("change") <= 4 * 10


@pytest.mark.parametrize(
    ("asked", "sent_at", "found", "apart"),
    [
        ((0, 48), 0, (0, 48), []),
        ((1, 48), 0, (0, 48), ["starts_at"]),
        ((0, 48), 0, (1, 48), ["starts_at"]),
        ((0, 48), 0, (0, 49), ["ends_at"]),
        ((0, 48), 0, (-1, 47), ["starts_at", "ends_at"]),
        ((-3, 48), 2, (2, 48), []),
        ((-3, 48), None, (2, 48), []),
    ],
)
def test_two_windows_differ_by_more_than_a_lock_rounds(
    asked: tuple[int, int], sent_at: int | None, found: tuple[int, int], apart: list[str]
) -> None:
    asked_window, found_window = (Window(CHECK_IN + a * HOUR, CHECK_IN + b * HOUR) for a, b in (asked, found))
    at = None if sent_at is None else CHECK_IN + sent_at * HOUR - SECOND
    assert times_apart(asked_window, at, found_window) == apart
