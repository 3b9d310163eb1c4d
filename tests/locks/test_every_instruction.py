"""P11 to the letter: a worker is killed before and after every call to the lock, and after every write to the database,
while it creates, changes and removes a PIN. Afterwards the next minutes leave exactly one PIN, and none after the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import fakeredis
import pytest
from django.db import connection, transaction

from locks import doors
from locks.errors import Unsupported
from locks.models import Credential, Lock
from locks.planning import replan_after_jobs
from reservations.models import Reservation
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors, Killed
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, change

pytestmark = pytest.mark.django_db
WRITES = ("INSERT", "UPDATE", "DELETE")


class Killer:
    """Counts the instructions that leave a trace, and strikes at one of them."""

    def __init__(self, strike_at: int) -> None:
        self.strike_at, self.seen, self.armed = strike_at, 0, False

    def step(self, _: object = None) -> None:
        if self.armed:
            self.seen += 1
            if self.seen == self.strike_at:
                self.armed = False
                raise Killed

    def statement(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        answer = execute(sql, params, many, context)
        if sql.startswith(WRITES):  # before one is after the one before it
            self.step()
        return answer


@contextmanager
def undone() -> Iterator[None]:
    """Nothing of it stays in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def live(clock: TimeMachine, killer: Killer, until: datetime) -> bool:
    """Go on up to then; after a death the lease runs out and the planner's tick comes. True when somebody died."""
    killer.armed, died = True, False
    try:
        clock.until(until)
    except Killed:
        died = True
    killer.armed = False
    if died:
        clock.bury_the_dead()
        replan_after_jobs(now=clock.now)
    return died


def story(killer: Killer, street: FakeDoors, phase: str) -> bool:
    """A stay from its PIN to its end, in danger during one phase. True when the killer struck."""
    struck = False
    with time_machine_at(NOW) as clock:
        lock = make_lock(unit := make_accommodation())
        stay = make_reservation(unit)
        for name, act, until in _chapters(stay):
            act()
            struck |= name == phase and live(clock, killer, until)
            clock.until(until + 20 * MINUTE)
            _judge(street, lock, name)
    return struck


def _chapters(stay: Reservation) -> list[tuple[str, Callable[[], object], datetime]]:
    longer = (CHECK_OUT + DAY).date()
    return [
        ("create", lambda: None, CHECK_IN - HOUR + MINUTE),
        ("change", lambda: change(stay, check_out_date=longer), CHECK_IN + MINUTE),
        ("remove", lambda: None, CHECK_OUT + DAY + MINUTE),
    ]


def _judge(street: FakeDoors, lock: Lock, chapter: str) -> None:
    held = street.on(lock.device_id)
    if chapter == "remove":
        assert held == []
        assert not Credential.objects.filter(removed_at__isnull=True).exists()
        return
    end = CHECK_OUT if chapter == "create" else CHECK_OUT + DAY
    assert [(pin.window.starts_at, pin.window.ends_at) for pin in held] == [(CHECK_IN, end)]
    [row] = Credential.objects.filter(removed_at__isnull=True)
    assert (row.state, row.proven, row.wish) == ("on_lock", row.wish, held[0].window)


# What a kill leaves is each statement or none of its transaction, on both databases: there a birth and an end will do.
@pytest.mark.parametrize(
    "phase",
    [
        "create",
        pytest.param("change", marks=pytest.mark.once),
        pytest.param("change by a second PIN", marks=pytest.mark.once),
        "remove",
    ],
)
def test_killed_at_any_instruction(
    phase: str, monkeypatch: pytest.MonkeyPatch, fake_redis: fakeredis.FakeRedis
) -> None:
    for number in range(1, 200):
        fake_redis.flushall()
        killer = Killer(number)
        street = FakeDoors(before=killer.step, after=killer.step)
        if "second" in phase:
            monkeypatch.setattr(street, "change_pin", unsupported)
        monkeypatch.setattr(doors, "provider_for", lambda _, street=street: street)
        with undone(), connection.execute_wrapper(killer.statement):
            struck = story(killer, street, phase.partition(" ")[0])
        if not struck:
            break
    assert number > 5  # so many moments there are at least, or we looked at nothing


def unsupported(*_: object, **__: object) -> None:
    raise Unsupported("this lock changes nothing")
