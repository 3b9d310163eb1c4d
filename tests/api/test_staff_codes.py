"""``/api/staff-codes``: made, seen and ended by scripts, without digits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from locks import sealing, staff
from locks.models import Credential, StaffCode
from scheduler import clock
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.api.conftest import Caller
from tests.builders import make_accommodation, make_lock

pytestmark = pytest.mark.django_db


def order(**over: Any) -> dict[str, Any]:
    now = clock.now()
    window = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=2)).isoformat()}
    return {"name": "Cleaning", "person": "Rita", **window, **over}


def test_a_code_is_made_seen_and_ended(api: Caller) -> None:
    gate, door = make_lock(), make_lock(unit := make_accommodation())
    made = api.post("staff-codes", order(locks=[gate.pk], accommodations=[unit.pk]))
    assert (made.status, made.json["state"]) == (201, "incomplete")
    assert {one["id"] for one in made.json["doors"]} == {gate.pk, door.pk}
    code = StaffCode.objects.get()
    staff.reveal(code, now=clock.now(), actor="olga")
    pin = sealing.unseal(Credential.objects.all()[0].pin_sealed)
    seen = api.get(f"staff-codes/{code.pk}").json
    assert (len(seen["credentials"]), pin in str(seen)) == (2, False)
    ended = api.post(f"staff-codes/{code.pk}/end").json
    assert (ended["active"], ended["state"]) == (False, "ended")
    assert not Credential.objects.filter(wanted=True).exists()
    assert AuditLog.objects.get(action="staff_code.ended").actor == "api:tests"
    assert Job.objects.filter(subject=code.subject, kind="locks.generate_pin", state__in=Job.LIVE).count() == 0


def test_what_opens_nothing_or_is_over_is_refused(api: Caller) -> None:
    gate, past = make_lock(), "2020-01-01T00:00:00Z"
    assert api.post("staff-codes", order()).status == 409
    assert api.post("staff-codes", order(locks=[gate.pk], ends_at=past)).status == 409
    assert api.post("staff-codes", order(locks=[gate.pk + 99])).status == 404
    assert not StaffCode.objects.exists()


def test_reading_them_takes_the_scope_of_pins_and_making_them_that_of_writing(token_of: Callable[..., Caller]) -> None:
    gate = make_lock()
    assert token_of("locks:read", name="a").get("staff-codes").status == 403
    reader = token_of("credentials:read", name="b")
    assert reader.get("staff-codes").json["total"] == 0
    assert reader.post("staff-codes", order(locks=[gate.pk])).status == 403
