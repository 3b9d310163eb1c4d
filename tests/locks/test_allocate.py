"""The digits of one holder for all its doors: whatever is or lately was on them, nobody's slip opens for another."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locks import sealing
from locks.allocate import allocate
from locks.errors import Capacity
from locks.holders import of_stay
from locks.models import Credential, Lock
from locks.pins import is_weak
from tests.builders import NOW, make_accommodation, make_lock, make_reservation

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
LENGTH = 4
PINS = st.text("0123456789", min_size=LENGTH, max_size=LENGTH) | st.text("012", min_size=LENGTH, max_size=LENGTH)
GONE_FOR_DAYS = st.sampled_from([None, 1, 29, 31])  # None: still there
TAKEN = st.lists(st.tuples(st.integers(0, 1), PINS, GONE_FOR_DAYS), max_size=25)


def put(lock: Lock, slot: int, pin: str, gone_for: int | None = None) -> Credential:
    """Somebody else's PIN on this lock, there or taken off so many days ago."""
    gone: datetime | None = NOW - gone_for * DAY if gone_for is not None else None
    return Credential(
        lock=lock, purpose="backup", slot=slot, name=f"SL {slot}", wanted=gone is None, removed_at=gone,
        starts_at=NOW - 90 * DAY, ends_at=gone or NOW + DAY, pin_sealed=b"" if gone else sealing.seal(pin),
        pin_fingerprint=sealing.fingerprint(pin),
    )  # fmt: skip


def is_a_slip(pin: str, other: str) -> bool:
    differing = [place for place, (a, b) in enumerate(zip(pin, other, strict=True)) if a != b]
    if len(differing) <= 1:
        return True
    first, second, *more = differing
    return not more and second == first + 1 and (pin[first], pin[second]) == (other[second], other[first])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(taken=TAKEN, digits=st.sampled_from(["0123456789", "01234", "012", "01"]))
def test_a_new_pin_is_no_slip_away_from_any_on_its_doors(
    db: None, taken: list[tuple[int, str, int | None]], digits: str
) -> None:
    unit = make_accommodation()
    doors = [make_lock(unit, pin_length=LENGTH, pin_digits=digits) for _ in range(2)]
    Credential.objects.bulk_create([put(doors[door], slot, pin, gone) for slot, (door, pin, gone) in enumerate(taken)])
    others = [pin for _, pin, gone in taken if gone is None or gone < 30]
    free = {
        pin for pin in map("".join, product(digits, repeat=LENGTH))
        if not is_weak(pin) and not any(is_a_slip(pin, other) for other in others)
    }  # fmt: skip
    holder = of_stay(make_reservation(unit))
    if not free:
        with pytest.raises(Capacity, match="remove old codes"):
            allocate(holder, now=NOW)
        return
    made = allocate(holder, now=NOW)
    [pin] = {sealing.unseal(one.pin_sealed) for one in made}
    assert {one.lock_id for one in made} == {lock.pk for lock in doors}
    assert pin in free


def test_it_takes_as_many_statements_with_a_hundred_pins_on_each_door() -> None:
    def statements(there: int) -> int:
        unit = make_accommodation()
        doors = [make_lock(unit), make_lock(unit)]
        rows = [put(lock, slot, f"{slot * 7919 % 10**6:06}") for lock in doors for slot in range(there)]
        Credential.objects.bulk_create(rows)
        holder = of_stay(make_reservation(unit))
        with CaptureQueriesContext(connection) as queries:
            assert len(allocate(holder, now=NOW)) == 2
        return len(queries)

    assert statements(100) == statements(0)


@pytest.mark.parametrize("over", [{"pin_length": 7}, {"pin_digits": "12345"}], ids=["length", "digits"])
def test_known_digits_are_not_used_where_the_locks_no_longer_take_them(over: dict[str, object]) -> None:
    unit = make_accommodation()
    stay, first = make_reservation(unit), make_lock(unit)
    [known] = allocate(of_stay(stay), now=NOW)
    Credential.objects.filter(pk=known.pk).update(
        pin_sealed=sealing.seal("829170"), pin_fingerprint=sealing.fingerprint("829170")
    )
    Lock.objects.filter(pk=first.pk).update(**over)
    second = make_lock(unit, **over)
    there = {one.lock_id: sealing.unseal(one.pin_sealed) for one in allocate(of_stay(stay), now=NOW)}
    assert there[first.pk] == "829170"
    assert len(there[second.pk]) == second.digits_needed
    assert set(there[second.pk]) <= set(second.pin_digits)
