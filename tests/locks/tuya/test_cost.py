"""What a stay costs, counted where the calls arrive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from locks import doors, issue, remove
from locks.holders import Place
from locks.models import Credential
from scheduler import clock
from tests.builders import make_accommodation, make_lock, make_reservation
from tests.sandbox_process import BLE, CREDENTIALS, WIFI, ZIGBEE, RunningSandbox, running_sandbox

pytestmark = pytest.mark.django_db
MOST = 7


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SANDBOX_DELIVERY_SECONDS="0") as running:
        yield running


@pytest.mark.parametrize(("radio", "device_id"), [("wifi", WIFI), ("zigbee", ZIGBEE), ("ble", BLE)])
def test_a_stay_costs_at_most_seven_calls_when_nothing_goes_wrong(
    radio: str, device_id: str, sandbox: RunningSandbox, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Created, proven, removed, removal proven; the token is shared by all stays and lasts two hours."""
    settings.TUYA_BASE_URL = sandbox.base_url
    settings.TUYA_CLIENT_ID = CREDENTIALS["TUYA_CLIENT_ID"]
    settings.TUYA_CLIENT_SECRET = CREDENTIALS["TUYA_CLIENT_SECRET"]
    sandbox.reset()
    sandbox.wake(device_id)
    before = Counter(sandbox.calls())
    unit, now = make_accommodation(), clock.now()
    lock = make_lock(unit, radio=radio, device_id=device_id)
    today = now - timedelta(days=1)
    stay = make_reservation(
        unit, facts_at=now, check_in_date=today.date(), check_out_date=(now + timedelta(days=1)).date()
    )
    place = Place(stay.subject, lock.pk)
    issue.generate_pin(place, check=lambda: None, now=clock.now)
    assert Credential.objects.get().state == "on_lock"
    Credential.objects.update(wanted=False, unwanted_at=now)
    remove.revoke_pin(place, check=lambda: None, now=clock.now)
    assert Credential.objects.get().removed_at is not None
    cost = Counter(sandbox.calls()) - before
    cost.pop("GET /v1.0/token", None)
    with capsys.disabled():
        print(f"\n  one stay on {radio}: {cost.total()} calls of {MOST}: {', '.join(sorted(cost))}")
    assert cost.total() <= MOST
    assert doors.account_state().failures == 0
