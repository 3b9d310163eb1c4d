"""A street in one process: the product's own rooms, Tuya's client, and the sandbox as the cloud and the doors.

Two units share the street door, and each has a door of its own. One clock for all; nothing sleeps, no port is opened.
The digits are chosen by the product, from candidates that are as bad as they can be (``Temptation``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import NoReturn, TypeVar
from unittest import mock

import fakeredis
import httpx
from django.core import mail
from django.db import transaction
from django.db.models import Min
from django.test import TestCase, override_settings
from flask import Flask

from locks import backups, doors, pins
from locks.models import Lock
from locks.pins import near
from locks.planning import replan_after_jobs
from locks.tuya import provider_from
from reservations.models import Accommodation
from sandbox import tuya_passwords
from sandbox.delivery import wake
from sandbox.faults import KNOWN, switch_on
from sandbox.state import Door, World
from sandbox.store import Store
from sandbox.tuya_api import TuyaApi
from sandbox.tuya_auth import Gate
from scheduler import clock, leases, publisher, redis
from scheduler.models import Job
from scheduler.services import retry
from tests.builders import NOW, make_accommodation, make_lock
from tests.engine import TimeMachine, time_machine_at

T = TypeVar("T")
CAPACITY = 5
OWNER = "owner"
FOR_EVER = 1e10
DELIVERY_SECONDS = 1.0
TICK, LONG = timedelta(minutes=10), timedelta(hours=3)
SECRET = "4OHBOnWOqaEC1mWXOpVL3yV50s0qGSRC"
CLIENT = "1KAD46OrT9HafiKdsXeg"


class Killed(BaseException):
    """The worker's process dies here: no `except` of the product's runs."""


class Impatient:
    """Stands where the sandbox would wait before it answers: the caller has given up by then."""

    def wait(self, seconds: float) -> NoReturn:
        raise TimeoutError


class Wire(httpx.BaseTransport):
    """Between Tuya's client and the sandbox. With a ``fuse`` the worker dies at that many calls from now, before the
    call or when its answer is on the way.
    """

    def __init__(self, app: Flask) -> None:
        self._inner = httpx.WSGITransport(app=app)
        self.fuse: int | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._burn()
        try:
            response = self._inner.handle_request(request)
            response.read()
        except ConnectionResetError:
            raise httpx.ReadError("cut", request=request) from None
        except TimeoutError:
            raise httpx.ReadTimeout("slow", request=request) from None
        self._burn()
        return response

    def _burn(self) -> None:
        if self.fuse is None:
            return
        self.fuse -= 1
        if self.fuse < 0:
            self.fuse = None
            raise Killed


class Temptation:
    """In place of ``secrets`` where digits are chosen: first it offers those of others, and those next to them."""

    def __init__(self) -> None:
        self.known: list[str] = []
        self._random = Random(7)

    def SystemRandom(self) -> Temptation:
        return self

    def sample(self, population: range, size: int) -> list[int]:
        length = len(str(len(population) - 1))
        bad = [pin for pin in self.known if len(pin) == length]
        bad += [pin for known in bad[-6:] for pin in list(near(known))[::9]]
        numbers = [int(pin[::-1]) for pin in bad]  # the first digit is the lowest place
        return [*numbers, *self._random.sample(population, min(size, len(population)))]


class Street:
    """The doors, what happens at them by hand, and time. ``watch`` is called after each run of a job."""

    def __init__(self, time: TimeMachine, store: Store, wire: Wire, temptation: Temptation) -> None:
        self.time, self.store, self.wire, self.temptation = time, store, wire, temptation
        self.units: list[Accommodation] = []
        self.locks: list[Lock] = []
        self.device_of: dict[int, str] = {}
        self.watch: Callable[[], None] = lambda: None
        time.watch = lambda _kind, _outcome: self.look()

    def build(self, radio: str, own: list[str], backups: int) -> None:
        """The street door first, then one door for each unit."""
        gate = make_lock(name="gate", device_id="gate", radio=radio, capacity=CAPACITY, backup_pins=backups)
        self.locks = [gate]
        for number, kind in enumerate(own):
            unit = make_accommodation(
                name=f"unit {number}", external_id=f"unit-{number}", timezone="America/Sao_Paulo",
                grace_minutes=10 * number,
            )  # fmt: skip
            unit.locks.add(gate)
            self.locks.append(
                make_lock(unit, name=f"door {number}", device_id=f"door-{number}", radio=kind, capacity=CAPACITY)
            )
            self.units.append(unit)
        self.device_of = {lock.pk: lock.device_id for lock in self.locks}
        with self.world() as world:
            world.doors = {
                lock.device_id: Door(lock.device_id, lock.name, lock.radio, "", "America/Sao_Paulo")  # type: ignore[arg-type]
                for lock in self.locks
            }

    def is_at(self, unit: int, device: str) -> bool:
        """Whether this door is one of the unit's."""
        return device in ("gate", f"door-{unit}")

    # --- what one sees ----------------------------------------------------------------------------------------------
    @contextmanager
    def world(self) -> Iterator[World]:
        with self.store.session() as (world, _):
            yield world

    def door(self, number: int) -> Door:
        with self.world() as world:
            return world.doors[self.locks[number].device_id]

    def doors(self) -> list[Door]:
        with self.world() as world:
            return list(world.doors.values())

    def look(self) -> None:
        with self.world() as world:
            found = {
                slot.pin for door in world.doors.values() for number, slot in door.slots.items() if tells(door, number)
            }
            self.temptation.known += sorted(found - set(self.temptation.known))
        self.watch()

    # --- time -------------------------------------------------------------------------------------------------------
    def do(self, act: Callable[[], T]) -> T:
        """In the product, as one request or command does it: what it left for after its commit is done."""
        with TestCase.captureOnCommitCallbacks(execute=True):
            return act()

    def until(self, moment: datetime) -> None:
        """Everything that comes due, and beat's ticks in between."""
        while clock.now() < moment:
            self._forward(min(moment, self._next_stop()))
            self.do(lambda: replan_after_jobs(now=clock.now()))
            self.do(lambda: backups.tend(now=clock.now()))
            self._forward(clock.now())
        self.look()

    def _next_stop(self) -> datetime:
        """A tick of beat; where no job waits for its time, the next is far off."""
        [due] = Job.objects.filter(state=Job.State.SCHEDULED).aggregate(due=Min("run_at")).values()
        return max(clock.now() + TICK, min(due or datetime.max.replace(tzinfo=UTC), clock.now() + LONG))

    def _forward(self, moment: datetime) -> None:
        while True:
            try:
                self.time.until(max(moment, clock.now()))
                return
            except Killed:
                self.time.bury_the_dead()
                self.do(lambda: replan_after_jobs(now=clock.now()))

    # --- by hand ----------------------------------------------------------------------------------------------------
    def fault(self, number: int, name: str) -> None:
        door = self.door(number)
        if door.radio in KNOWN[name].radios:
            with self.world() as world:
                board = world.cloud_faults if KNOWN[name].scope == "cloud" else door.faults
                switch_on(board, name, clock.now().timestamp(), None, None)

    def mend(self, number: int) -> None:
        with self.world() as world:
            world.cloud_faults.clear()
            world.doors[self.locks[number].device_id].faults.clear()

    def wake(self, number: int, awake: bool = True) -> None:
        door = self.door(number)
        if awake:
            wake(door, clock.now().timestamp(), FOR_EVER)
        else:
            door.awake_until = 0.0

    def heal(self) -> None:
        """All is well from now on, and a person has done what she was told to."""
        self.wire.fuse = None
        for number in range(len(self.locks)):
            self.mend(number)
            self.wake(number)
        self.do(lambda: retry(Job.objects.filter(state=Job.State.FAILED), now=clock.now()))


def tells(door: Door, number: int) -> bool:
    """Whether the lock says so when others get digits that it has: of a code not ours a Bluetooth one cannot."""
    record = door.records.get(number)
    return door.radio != "ble" or (record is not None and not record.name.startswith(OWNER))


@contextmanager
def street() -> Iterator[Street]:
    """One street for one story; the database is as before afterwards."""
    with ExitStack() as stack:
        stack.enter_context(
            override_settings(TUYA_CLIENT_ID=CLIENT, TUYA_CLIENT_SECRET=SECRET, TUYA_CALLS_PER_SECOND=0)
        )
        stack.enter_context(transaction.atomic())
        stack.callback(transaction.set_rollback, True)
        time = stack.enter_context(time_machine_at(NOW))
        server, temptation = fakeredis.FakeRedis(), Temptation()
        store = Store(clock=lambda: clock.now().timestamp())
        store.stopping = Impatient()  # type: ignore[assignment]
        wire = Wire(_cloud(store))
        for target, name, replacement in (
            (redis, "client", lambda: server),
            (publisher, "announce", lambda _messages: None),
            (publisher, "publish", lambda _message: None),
            (leases, "_ensure_thread", lambda: None),
            (doors, "provider_from", partial(provider_from, transport=wire)),
            (pins, "secrets", temptation),
            (tuya_passwords, "CAPACITY", CAPACITY),
        ):
            stack.enter_context(mock.patch.object(target, name, replacement))
        stack.enter_context(mock.patch("scheduler.retry.random.random", return_value=0.5))
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, before)
        doors._tuya.cache_clear()
        stack.callback(doors._tuya.cache_clear)
        mail.outbox = []
        yield Street(time, store, wire, temptation)


def _cloud(store: Store) -> Flask:
    app = Flask("cloud")
    TuyaApi(store, Gate(CLIENT, SECRET), DELIVERY_SECONDS).register(app)
    app.config["PROPAGATE_EXCEPTIONS"] = True  # a connection that is cut is no answer
    return app
