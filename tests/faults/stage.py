"""One stay, one door of the running sandbox, and time that jumps: what a fault does to a create, a change, a removal.

The product's own jobs run, in the test's process and at their own moments; the sandbox is a process of its own,
reached over HTTP, whose clock follows the test's. On the wire between them calls are counted, and a worker may die.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from locks import reading, sealing
from locks.models import Credential, Lock
from locks.planning import replan_after_jobs
from locks.provider import Radio
from notifications.models import Notice
from reservations.models import Reservation
from reservations.services import save_facts
from sandbox.faults import KNOWN
from scheduler import clock
from scheduler.models import Job
from scheduler.services import retry
from tests.builders import make_accommodation, make_facts, make_lock, make_reservation
from tests.engine import TimeMachine
from tests.sandbox_process import BLE, WIFI, ZIGBEE, RunningSandbox

DOORS: dict[Radio, str] = {"wifi": WIFI, "zigbee": ZIGBEE, "ble": BLE}
ASLEEP = "asleep"
# The caller's patience with an answer that comes late; the real one would make the test wait as long.
IMPATIENT = {"connect": 5.0, "read": 0.5, "write": 5.0, "pool": 5.0}
TOO_SLOW_SECONDS = 2.0


class Killed(BaseException):
    """The worker's process dies here: no `except` of the product's runs."""


class Wire(httpx.HTTPTransport):
    """The real network. ``on_call(n, request)`` hears of each call before it is sent, ``on_answer`` after it."""

    def __init__(self, sync: Callable[[], None]) -> None:
        super().__init__()
        self._sync = sync
        self.calls = 0
        self.impatient = False
        self.on_call: Callable[[httpx.Request], None] = lambda request: None
        self.on_answer: Callable[[httpx.Request], None] = lambda request: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._sync()
        self.calls += 1
        self.on_call(request)
        if self.impatient and is_write(request):
            request.extensions["timeout"] = IMPATIENT
        response = super().handle_request(request)
        response.read()
        self.on_answer(request)
        return response


def is_write(request: httpx.Request) -> bool:
    """Whether it changes what is on the lock."""
    return request.method in ("PUT", "DELETE") or request.url.path.endswith("/temp-password")


@dataclass(frozen=True)
class OnDoor:
    """One PIN as the lock itself holds it, whatever the cloud says."""

    name: str
    starts_at: datetime
    ends_at: datetime


class Stage:
    """The stay, its door, and the switch of the fault."""

    def __init__(self, sandbox: RunningSandbox, machine: TimeMachine, radio: Radio) -> None:
        self.sandbox, self.machine, self.radio = sandbox, machine, radio
        self.device = DOORS[radio]
        self.wire = Wire(self.sync)
        self._synced: datetime | None = None
        self.watch: Callable[[], None] = lambda: None

    def sync(self) -> None:
        """The sandbox's clock shows the test's time."""
        if self._synced != clock.now():
            self._synced = clock.now()
            self.sandbox.clock(self._synced.timestamp())

    # --- the stay -------------------------------------------------------------------------------------------------

    def book(self) -> None:
        self.sync()
        if self.radio == "wifi":
            self.sandbox.wake(self.device)  # for longer than any of these stays, unless it is put to sleep
        unit = make_accommodation()
        self.lock: Lock = make_lock(unit, device_id=self.device, radio=self.radio)
        self.stay: Reservation = make_reservation(unit)

    def change(self, **over: Any) -> None:
        self.stay.refresh_from_db()
        known = {"external_id": self.stay.external_id, "short_id": self.stay.short_id}
        facts = make_facts(self.stay.accommodation, **known | over)
        save_facts(facts, facts_at=self.stay.facts_at + timedelta(minutes=1))

    @property
    def credential(self) -> Credential:
        return Credential.objects.filter(reservation=self.stay).latest("id")

    def pin(self) -> str:
        return sealing.unseal(self.credential.pin_sealed)

    def notices(self) -> set[str]:
        return set(Notice.objects.values_list("code", flat=True))

    def is_on_the_shelf(self) -> bool:
        return Job.objects.filter(subject=self.stay.subject, state=Job.State.FAILED).exists()

    def press_retry(self) -> None:
        """What the notice of a job that failed for good asks the operator to do."""
        retry(Job.objects.filter(state=Job.State.FAILED), now=clock.now())

    # --- time -----------------------------------------------------------------------------------------------------

    def until(self, moment: datetime, *, done: Callable[[], bool] = lambda: False) -> bool:
        """Run what comes due, each job at its moment; the door is watched at every step. Stops when ``done``."""
        while not done():
            due = Job.objects.filter(state=Job.State.SCHEDULED, run_at__lte=moment).order_by("run_at").first()
            if due is None:
                self.machine.forward(moment)
                self.watch()
                return done()
            try:
                self.machine.until(max(due.run_at, clock.now()))
            except Killed:
                self.machine.bury_the_dead()
                replan_after_jobs(now=clock.now())
            self.watch()
        return True

    # --- the door -------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """What the round over all locks does every now and then."""
        self.lock.refresh_from_db()
        reading.read_now(self.lock, now=clock.now())

    def fault(self, name: str, on: bool, *, off: timedelta = timedelta(hours=1)) -> None:
        """``off``: how far ahead the door's clock goes, where that is the fault."""
        self.sync()
        self.wire.impatient = on and name == "slow_after_commit"
        if name == ASLEEP:
            (self.sandbox.sleep if on else self.sandbox.wake)(self.device)
        elif name in KNOWN:
            sizes = {"slow_after_commit": TOO_SLOW_SECONDS, "door_clock": off.total_seconds()}
            size = {"seconds": sizes[name]} if name in sizes and on else {}
            self.sandbox.fault(self.device, name, on, **size)

    def on_door(self) -> list[OnDoor]:
        self.sync()
        held = [code for code in self.sandbox.door(self.device)["codes"] if code["on_lock"]]
        return [OnDoor(code["name"], _utc(code["on_lock"]["from"]), _utc(code["on_lock"]["to"])) for code in held]

    def opens(self, pin: str) -> bool:
        self.sync()
        return bool(self.sandbox.try_pin(self.device, pin)["opened"])


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
