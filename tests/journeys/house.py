"""A whole SmartLock of real processes for a test: database, Valkey, sandbox, web, worker, ticker, beat.

The commands are those of `make run`; only the ports are free ones and the ticks come every second.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx

from deploy.guardian import Guardian, end
from deploy.run import celery, python, worker
from deploy.services import free_port, postgres, valkey_answers, write_valkey_config
from tests.sandbox_process import LISTING, ROOT, RunningSandbox, running_sandbox

T = TypeVar("T")
PATIENCE = 60.0
TOKEN = "a-webhook-token-for-journeys"
SECRET = "a-webhook-secret-for-journeys"
ZONES = dict.fromkeys(LISTING, "America/Sao_Paulo") | {"vdevo000000000000ble1": "America/Manaus"}
UNITS = """
from locks.models import AccommodationLock, Lock
from reservations.models import Accommodation
for device, listing in {listing!r}.items():
    unit = Accommodation.objects.create(name="Unit " + device[-4:], external_id=listing, timezone={zones!r}[device])
    radio = {{"wifi": "wifi", "gbee": "zigbee", "ble1": "ble"}}[device[-4:]]
    lock = Lock.objects.create(name="Door " + device[-4:], device_id=device, radio=radio)
    AccommodationLock.objects.create(accommodation=unit, lock=lock)
"""
READER = """
from scheduler import clock
from smartlock.api import tokens
print(tokens.create("journeys", ["jobs:read"], now=clock.now(), actor="tests")[1])
"""


def wait_for(what: Callable[[], T | None], *, seconds: float = PATIENCE, why: str = "") -> T:
    """Poll until ``what`` gives something true; fails with ``why`` when it does not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := what():
            return result
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {why or what}")


@dataclass
class House:
    """Handles to the running processes, and the few things a journey does with them."""

    env: dict[str, str]
    web: str
    directory: Path
    guardian: Guardian
    sandbox: RunningSandbox
    token: str = ""  # may read jobs
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, name: str, command: list[str], ready: Callable[[], bool]) -> None:
        log = (self.directory / f"{name}.log").open("ab")
        self.processes[name] = self.guardian.spawn(command, env=self.env, cwd=ROOT, stdout=log, stderr=log)
        log.close()
        wait_for(lambda: ready() or self.processes[name].poll() is not None, why=f"{name} is up")
        if self.processes[name].poll() is not None:
            raise AssertionError(f"{name} ended at once: {self.log(name)[-2000:]}")

    def start_worker(self, name: str = "worker", queues: str = "pins,messages,sync,default") -> None:
        seen = self.log(name).count(" ready.")
        self.start(name, worker(name, 4, queues), lambda: self.log(name).count(" ready.") > seen)

    def start_beat(self) -> None:
        self.start("beat", celery("beat", "--loglevel=info", "--pidfile="), lambda: True)

    def start_valkey(self) -> None:
        config = self.directory / "valkey" / "valkey.conf"
        command = [self.env["VALKEY_BINARY"], str(config)]
        self.start("valkey", command, lambda: valkey_answers(self.env["REDIS_URL"]))

    def kill(self, name: str) -> None:
        """`kill -9`: no good-bye."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.guardian.forget(process)

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        end(process, grace=30)
        self.guardian.forget(process)

    def log(self, name: str) -> str:
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr[-2000:]}"
        return done.stdout

    # --- what a journey sees --------------------------------------------------------------------------------------

    def book(self, door: str, *, starts_in: float, lasts: float, guest: str = "ana@example.com", **over: Any) -> Any:
        """A booking at the pretend Stays whose times are seconds from now, written as the property's wall clock."""
        return self.sandbox.book(
            listing=LISTING[door], **self.times(door, starts_in, starts_in + lasts),
            **{"type": "booked", "guest": {"name": "Ana Teste", "email": guest, "language": "pt_BR"}, **over},
        )  # fmt: skip

    def times(self, door: str, starts_in: float, ends_in: float) -> dict[str, str]:
        start, stop = (self.clock(door) + timedelta(seconds=s) for s in (starts_in, ends_in))
        return {
            "checkInDate": start.date().isoformat(), "checkInTime": f"{start:%H:%M:%S}",
            "checkOutDate": stop.date().isoformat(), "checkOutTime": f"{stop:%H:%M:%S}",
        }  # fmt: skip

    def clock(self, door: str) -> datetime:
        return datetime.now(UTC).astimezone(ZoneInfo(ZONES[door]))

    def jobs(self, reservation: str) -> list[dict[str, Any]]:
        """Empty before the reservation is known: events are sorted a moment after they were answered."""
        key = {"Authorization": f"Bearer {self.token}"}
        answer = httpx.get(f"{self.web}/api/reservations/{reservation}/jobs", headers=key, timeout=30)
        if answer.status_code == 404:
            return []
        assert answer.status_code == 200, answer.text
        return list(answer.json())

    def mail(self, to: str, *, count: int = 1, seconds: float = PATIENCE) -> dict[str, Any]:
        """The newest message to a guest, once there are ``count``."""

        def arrived() -> dict[str, Any] | None:
            found = self.sandbox.messages(to)
            return found[-1] if len(found) >= count else None

        return wait_for(arrived, seconds=seconds, why=f"mail no. {count} to {to}")

    def opens(self, door: str, pin: str) -> bool:
        answer = self.sandbox.try_pin(door, pin)
        print(door, answer["reason"])  # shown when a journey fails
        return bool(answer["opened"])

    def codes(self, door: str) -> int:
        return int(next(d["passwords"] for d in self.sandbox.doors() if d["device_id"] == door))

    def post(self, event: dict[str, Any]) -> httpx.Response:
        """A delivery by hand to the address with the token."""
        return httpx.post(f"{self.web}/webhooks/stays/{TOKEN}/", json=event, timeout=30)


@contextmanager
def house(directory: Path, database: str, furnish: str = "", **over: str) -> Iterator[House]:
    """Everything up; ``database`` is "sqlite" or "postgres". ``furnish`` is Python that fills it before it starts;
    without, three units are mapped to the three doors."""
    with ExitStack() as stack:
        (directory / "valkey").mkdir(parents=True)
        command, redis_url = write_valkey_config(directory / "valkey", free_port())
        port = free_port()
        web = f"http://127.0.0.1:{port}"
        sandbox = stack.enter_context(
            running_sandbox(SANDBOX_WEBHOOK_URL=f"{web}/webhooks/stays/{TOKEN}/", STAYS_WEBHOOK_SECRET=SECRET)
        )
        url = (
            stack.enter_context(postgres()) if database == "postgres" else f"sqlite:///{directory}/smartlock.sqlite3"
        )  # fmt: skip
        env = {
            **os.environ, **sandbox.env, "DJANGO_SETTINGS_MODULE": "smartlock.settings", "DATABASE_URL": url,
            "REDIS_URL": redis_url, "VALKEY_BINARY": command[0], "STAYS_WEBHOOK_TOKEN": TOKEN,
            "STAYS_WEBHOOK_SECRET": SECRET, "STAYS_BASE_URL": sandbox.base_url, "TUYA_BASE_URL": sandbox.base_url,
            "EMAIL_URL": f"smtp://127.0.0.1:{sandbox.smtp_port}", "DISPATCH_SECONDS": "1", "PYTHONUNBUFFERED": "1",
            "PIN_HASH_ROUNDS": "4", "SECRET_KEY": "s" * 50, "PIN_PEPPER": "p" * 40, "HTTPS": "0", "DEBUG": "0",
            "BACKUP_PINS": "0", "API_REQUESTS_PER_MINUTE": "0",
            "PIN_SEAL_KEYS": "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=", "SMARTLOCK_ENV_FILE": "", **over,
        }  # fmt: skip
        guardian = stack.enter_context(Guardian())
        home = House(env, web, directory, guardian, sandbox)
        stack.callback(_stop_all, home)
        home.start_valkey()
        home.manage("migrate", "--verbosity", "0")
        furniture = furnish or UNITS.format(listing=LISTING, zones=ZONES)
        home.token = home.manage("shell", "-v", "0", "-c", furniture + READER).split()[-1]
        _start_all(home, port)
        yield home


def _start_all(home: House, port: int) -> None:
    speech = ("--interface", "wsgi", "--http", "1", "--no-ws", "--blocking-threads", "4")
    granian = (*speech, "--host", "127.0.0.1", "--port", str(port))
    home.start_worker()
    home.start_worker("ticker", "ticks")
    home.start_beat()
    home.start("web", python("-m", "granian", *granian, "smartlock.wsgi:application"), lambda: _answers(home.web))


def _answers(web: str) -> bool:
    try:
        return httpx.get(f"{web}/health/live", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def _stop_all(home: House) -> None:
    for name in ("web", "beat", "ticker", "worker", "valkey"):
        if name in home.processes:
            home.stop(name)
