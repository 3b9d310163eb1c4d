"""A full lock: a late removal is tried at once when a guest needs the place, and she gets it as soon as it is free."""

from __future__ import annotations

import pytest

from locks.errors import Transient
from locks.models import Credential
from tests.builders import make_accommodation, make_lock, make_reservation
from tests.engine import TimeMachine
from tests.locks.fake_door import FakeDoors
from tests.locks.test_doors import CHECK_IN, CHECK_OUT, DAY, HOUR, MINUTE, clock, street

pytestmark = pytest.mark.django_db
__all__ = ["clock", "street"]


def test_an_overdue_removal_is_tried_when_an_arrival_needs_its_place(street: FakeDoors, clock: TimeMachine) -> None:
    unit = make_accommodation()
    lock = make_lock(unit, capacity=1, backup_pins=0)
    first = make_reservation(unit)
    make_reservation(unit, check_in_date=CHECK_OUT.date(), check_out_date=(CHECK_OUT + 2 * DAY).date())
    clock.until(CHECK_IN)
    gone = [False]

    def no_removal(call: str) -> None:
        if call == "delete" and not gone[0]:
            raise Transient("no answer")

    street.before = no_removal
    arrival = CHECK_OUT + 4 * HOUR  # 15:00: her PIN is due an hour before
    clock.until(arrival - 61 * MINUTE)
    gone[0] = True
    clock.until(arrival - 55 * MINUTE)  # the removal's own turn would come a quarter of an hour later
    assert Credential.objects.get(reservation=first).removed_at is not None
    [held] = street.on(lock.device_id)
    assert held.window.starts_at == arrival
