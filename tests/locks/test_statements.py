"""What a PIN costs the database. A full hour's check-ins fall due together: this decides how long they take."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from locks import doors
from locks.models import Credential
from locks.plan import GENERATE, REVOKE
from scheduler import kinds, runner
from scheduler.models import Job
from scheduler.runner import run_many
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors

pytestmark = pytest.mark.django_db(transaction=True)
PER_PIN = 36  # was 80 before the letters were left to the end and the wishes were looked at for all together
PER_REMOVAL = 27
PER_PIN_OF_EIGHT = 18  # was 27 before the letters of all that end together were planned together


@pytest.fixture(autouse=True)
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    monkeypatch.setattr(runner, "RECORD_EVERY_SECONDS", 60)  # a slow machine writes down the eight one by one
    return fake


def statements(clock: TimeMachine, kind: str) -> int:
    """Those of running all jobs of this kind in one message, at the moment they are due."""
    due = list(Job.objects.filter(kind=kind, state="scheduled"))
    clock.forward(max(job.run_at for job in due))
    with CaptureQueriesContext(connection) as queries:
        ran = run_many(kinds.get(kind), [[job.pk, job.version] for job in due], worker="test")
    assert set(ran.values()) == {"succeeded"}
    return len(queries)


def test_a_pin_and_its_removal_take_few_statements() -> None:
    with time_machine_at(NOW) as clock:
        make_lock(unit := make_accommodation())
        make_reservation(unit)
        assert statements(clock, GENERATE) <= PER_PIN
        assert Credential.objects.get().state == "on_lock"
        assert statements(clock, REVOKE) <= PER_REMOVAL


def test_many_pins_in_one_message_take_fewer_each() -> None:
    with time_machine_at(NOW) as clock:
        for _ in range(8):
            make_lock(unit := make_accommodation())
            make_reservation(unit)
        assert statements(clock, GENERATE) <= 8 * PER_PIN_OF_EIGHT
        assert set(Credential.objects.values_list("state", flat=True)) == {"on_lock"}
