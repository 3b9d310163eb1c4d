"""What Hypothesis found at shared doors, each told as plainly as it can be."""

from __future__ import annotations

import pytest
from django.core import mail

from locks import sealing
from locks.models import Credential, Fallback
from scheduler import clock
from tests.doors.test_shared_doors import HOUR, MINUTE, SharedDoors

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


def test_a_guest_whose_offline_code_ends_before_her_stay_is_told_the_pin_that_lasts() -> None:
    """It came to the lock after she had been sent the offline code, and nobody ever told her the digits."""
    story = SharedDoors()
    try:
        story.build(gate="zigbee", first="zigbee", second="zigbee", backups=0)
        story.begin_a_fault(door=0, name="full")
        story.book_a_stay(unit=0, begins=2, lasts=5)  # two hours and a half: the code ends half an hour before
        story.street.until(clock.now() + 2 * HOUR)
        story.end_the_faults(door=0)
        story.street.until(clock.now() + HOUR)
        [row] = Fallback.objects.all()
        assert row.ends_at is not None
        own = Credential.objects.get(lock=row.lock_id, wanted=True)
        assert (row.kind, own.is_proven()) == ("offline", True)
        story.street.until(row.ends_at + 15 * MINUTE)
        assert sealing.unseal(own.pin_sealed) in mail.outbox[-1].body
    finally:
        story.teardown()


def test_a_pin_that_was_frozen_by_hand_is_put_right_also_when_its_dates_changed_since() -> None:
    """The change was refused without end, and what an operator said made no difference to that."""
    story = SharedDoors()
    try:
        story.build(gate="zigbee", first="zigbee", second="zigbee", backups=0)
        story.book_a_stay(unit=0, begins=0, lasts=20)
        story.wait(minutes=20)
        story.somebody_changes_a_code_of_ours(door=0, what="freeze")
        story.wait(minutes=1)
        story.move_check_out(which=0, by=4)
        story.wait(minutes=20)
    finally:
        story.teardown()
