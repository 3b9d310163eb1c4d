"""What thinking along with the simulator has found, reduced to the smallest story."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from locks import planning
from locks.models import Credential
from locks.plan import CHANGE
from locks.planning import replan_after_jobs
from reservations.models import Reservation
from scheduler.models import Job
from scheduler.transitions import move
from tests.builders import NOW, make_accommodation, make_lock, make_reservation

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@time_machine.travel(NOW, tick=False)
def test_a_stay_is_looked_at_again_however_long_beat_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker died between its last commit and the plan, and so did beat."""
    unit = make_accommodation()
    lock = make_lock(unit)
    stay = make_reservation(unit)
    replan_after_jobs(now=NOW)
    job = Job.objects.get(kind="locks.generate_pin")
    move(Job.objects.filter(pk=job.pk), "claim", now=NOW, lease_until=NOW + MINUTE)
    move(Job.objects.filter(pk=job.pk), "succeed", now=NOW + MINUTE)
    asked = {"asked_at": NOW, "asked_starts_at": stay.check_in_at, "asked_ends_at": stay.check_out_at - MINUTE}
    Credential.objects.create(
        reservation=stay, lock=lock, name="SL 1", pin_fingerprint="f", provider_ref="1", **asked,
        starts_at=stay.check_in_at, ends_at=stay.check_out_at - MINUTE,
    )  # fmt: skip
    assert replan_after_jobs(now=NOW + 30 * MINUTE) == 1
    assert Job.objects.filter(kind=CHANGE, subject=stay.subject, state="scheduled").exists()
    assert Reservation.objects.count() == 1
    monkeypatch.setattr(planning, "replan_subject", None)  # the next look leaves it alone
    assert replan_after_jobs(now=NOW + 40 * MINUTE) == 0
