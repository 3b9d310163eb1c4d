"""What Hypothesis found at shared doors, each told as plainly as it can be."""

from __future__ import annotations

import pytest

from locks.models import Credential
from scheduler import clock
from tests.doors.test_shared_doors import HOUR, SharedDoors

pytestmark = pytest.mark.django_db


def test_digits_that_a_zigbee_lock_already_has_from_somebody_else_are_given_up_for_others() -> None:
    """It went on with the same digits for ever, ten times an hour: the lock says why only in its delivery report."""
    story = SharedDoors()
    try:
        story.build(gate="zigbee", first="wifi", second="ble", backups=0)
        story.somebody_adds_a_code(door=0, pin=442435)
        story.wait(minutes=1)  # from here on these digits are what the guest would be given
        story.book_a_stay(unit=1, begins=2, lasts=20)
        story.street.until(clock.now() + HOUR)
        refused, taken = Credential.objects.filter(lock__device_id="gate").order_by("pk")
        assert (refused.is_gone(), taken.is_proven()) == (True, True)
        assert refused.pin_fingerprint != taken.pin_fingerprint
    finally:
        story.teardown()
