"""Every fault the sandbox knows, against create, change and remove, on every kind of lock that can have it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fakeredis
import httpx
import pytest

from locks import doors
from locks.models import LockIncident
from locks.provider import Radio
from locks.tuya import provider_from
from tests.builders import NOW
from tests.engine import time_machine_at
from tests.faults import table
from tests.faults.acts import ACTS, CHECK_IN, CHECK_OUT, MINUTE, Act, play
from tests.faults.cases import CASES
from tests.faults.stage import Killed, Stage, is_write
from tests.sandbox_process import CREDENTIALS, RunningSandbox, running_sandbox

pytestmark = pytest.mark.django_db
WRITE_TO = os.environ.get("FAULTS_TO", "")  # set by `make faults`
WHOLE = [(act, fault, radio) for fault, radio in CASES for act in ACTS]
PLAYED = WHOLE if WRITE_TO else [WHOLE[n] for n in range(len(WHOLE)) if n % 3 == n // 3 % 3]
# The faults are the cloud's, and what they lead to no matter of the database: on SQLite each fourth, all acts in turn.
BILL = [pytest.param(*case, marks=[pytest.mark.once] if n % 4 else []) for n, case in enumerate(PLAYED)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SANDBOX_DELIVERY_SECONDS="1", SANDBOX_AWAKE_SECONDS="1e8") as running:
        yield running


@pytest.fixture
def stage(
    sandbox: RunningSandbox,
    radio: Radio,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    fake_redis: fakeredis.FakeRedis,
) -> Iterator[Stage]:
    sandbox.reset()
    settings.TUYA_BASE_URL = sandbox.base_url
    settings.TUYA_CLIENT_ID = CREDENTIALS["TUYA_CLIENT_ID"]
    settings.TUYA_CLIENT_SECRET = CREDENTIALS["TUYA_CLIENT_SECRET"]
    monkeypatch.setattr("scheduler.retry.random.random", lambda: 0.5)  # the same table every time
    with time_machine_at(NOW) as machine:
        ready = Stage(sandbox, machine, radio)
        monkeypatch.setattr("locks.doors.provider_from", partial(provider_from, transport=ready.wire))
        doors._tuya.cache_clear()
        yield ready
    doors._tuya.cache_clear()
    ready.wire.close()


def name(value: object) -> str:
    return value.name if isinstance(value, Act) else str(value)


@pytest.mark.parametrize(("act", "fault", "radio"), BILL, ids=name)
def test_a_fault_leaves_the_door_right_or_a_person_told(stage: Stage, act: Act, fault: str, radio: Radio) -> None:
    written = table.line(fault, radio, play(stage, act, fault))
    print(f"{act.name} {written}")
    if WRITE_TO:
        (Path(WRITE_TO) / f"{act.name}.{fault}.{radio}").write_text(written)
    else:
        assert table.is_current(act.name, written), "docs/faults.md says otherwise: read it, then `make faults`"


@pytest.mark.skipif(bool(WRITE_TO), reason="the page is written when all have been played")
def test_the_page_has_one_line_for_each_case_and_no_other() -> None:
    text = table.DOC.read_text()
    told = re.findall(r"^\| (\w+) \| (wifi|zigbee|ble) \|", text, re.MULTILINE)
    assert told == CASES * len(ACTS)


@pytest.mark.parametrize("radio", ["ble"])
def test_a_door_with_a_clock_of_its_own_is_found_out_told_and_trusted_again(stage: Stage, radio: Radio) -> None:
    stage.book()
    stage.until(CHECK_IN - 50 * MINUTE)
    stage.fault("door_clock", True)
    stage.until(CHECK_IN - 30 * MINUTE)
    assert stage.opens(stage.pin()), "an hour ahead, it takes half an hour before check-in for the time of the PIN"
    stage.read()
    incident = LockIncident.objects.get(kind="clock")
    assert (incident.off_minutes, incident.ended_at) == (30, None)
    assert "lock_clock" in stage.notices()
    stage.fault("door_clock", False)
    stage.until(CHECK_OUT - 10 * MINUTE)
    assert stage.opens(stage.pin()), "half an hour ahead, it would have shut by now"
    stage.read()
    incident.refresh_from_db()
    assert incident.ended_at is not None


# What is on the wire when it happens: the ticket (1), the write (2), the first look (3); a removal has no ticket.
MOMENTS = [("killed", 1), ("between", 2), ("between", 3)]


@pytest.mark.once
@pytest.mark.parametrize(("what", "number"), MOMENTS)
@pytest.mark.parametrize("fault", ["offline", "server_error", "cut_connection"])
@pytest.mark.parametrize("act", ACTS, ids=name)
@pytest.mark.parametrize("radio", ["zigbee"])
def test_so_does_one_that_begins_between_two_calls_or_with_a_worker_killed(
    stage: Stage, act: Act, fault: str, what: str, number: int
) -> None:
    arm = partial(kill_at_write, number) if what == "killed" else partial(begin_before_call, number, fault)
    play(stage, act, fault, arm)


def kill_at_write(number: int, stage: Stage) -> None:
    """The worker dies when the answer to this write is on its way to it."""
    written: list[str] = []

    def strike(request: httpx.Request) -> None:
        written.extend([request.url.path] if is_write(request) else [])
        if len(written) == number:
            stage.wire.on_answer = lambda request: None
            raise Killed

    stage.wire.on_answer = strike


def begin_before_call(number: int, fault: str, stage: Stage) -> None:
    """All is well at first; the fault begins before this call of the act."""
    stage.fault(fault, False)
    begun = stage.wire.calls

    def strike(request: httpx.Request) -> None:
        if stage.wire.calls - begun == number:
            stage.wire.on_call = lambda request: None
            stage.fault(fault, True)

    stage.wire.on_call = strike
