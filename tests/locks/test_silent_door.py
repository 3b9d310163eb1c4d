"""The whole way against the sandbox's cloud and doors: nobody wakes the lock, and the guest opens it at check-in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.core import mail
from flask.testing import FlaskClient
from pytest_django import Settings

from locks import backups, doors
from locks.models import Credential, Fallback, Lock
from locks.tuya.provider import provider_from
from locks.tuya.tokens import MemoryTokenStore
from reservations.facts import Guest
from sandbox.app import create_app
from sandbox.settings import Settings as SandboxSettings
from sandbox.stays_webhooks import WebhookSender
from sandbox.store import Store
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import TimeMachine, time_machine_at
from tests.sandbox_process import CREDENTIALS, WIFI

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
CHECK_IN = NOW + timedelta(days=1, hours=6)
CHECK_OUT = NOW + timedelta(days=4, hours=2)


@dataclass
class Door:
    """The sandbox's Wi-Fi door as somebody in front of it meets it; its clock is the test's."""

    http: FlaskClient
    clock: TimeMachine
    lock: Lock

    def opens(self, pin: str) -> bool:
        return bool(self.http.post(f"/sandbox/doors/{WIFI}/try", json={"pin": pin}).get_json()["opened"])

    def wake(self) -> None:
        """For a moment; all that waited is delivered. Then it sleeps again."""
        self.http.post(f"/sandbox/doors/{WIFI}/wake")
        self.http.post(f"/sandbox/doors/{WIFI}/sleep")

    def live(self) -> int:
        [door] = [one for one in self.http.get("/sandbox/doors").get_json() if one["device_id"] == WIFI]
        return int(door["passwords"])

    def until(self, moment: object) -> None:
        self.clock.until(moment)  # type: ignore[arg-type]
        backups.tend(now=self.clock.now)
        self.clock.until(self.clock.now + SECOND)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Door]:
    settings.BACKUP_PINS = 1
    login: dict[str, Any] = {name.lower(): value for name, value in CREDENTIALS.items()}
    with time_machine_at(NOW) as clock:
        app = create_app(SandboxSettings(**login), Store(), WebhookSender("", "stays-login", ""))
        provider = provider_from(
            "http://sandbox", login["tuya_client_id"], login["tuya_client_secret"], MemoryTokenStore(),
            transport=httpx.WSGITransport(app=app),
        )  # fmt: skip
        monkeypatch.setattr(doors, "provider_for", lambda _: provider)
        lock = make_lock(make_accommodation(name="Casa 1"), name="Porta", device_id=WIFI, radio=Lock.Radio.WIFI)
        door = Door(app.test_client(), clock, lock)
        door.until(NOW + MINUTE)
        door.wake()  # the cleaner
        door.until(NOW + 3 * HOUR)
        yield door


def letters(to: str) -> list[str]:
    return [f"{letter.subject}\n{letter.body}" for letter in mail.outbox if to in letter.to]


def code_in(letter: str) -> str:
    [code] = re.findall(r"^PIN: (\d+)$", letter, re.M)
    return str(code)


def book(door: Door, language: str = "en") -> None:
    make_reservation(
        door.lock.accommodations.get(), facts_at=NOW + MINUTE, guest=Guest("Ana", "ana@example.com", "", language)
    )


def test_the_backup_opens_at_check_in_and_is_gone_and_replaced_after_the_stay(door: Door) -> None:
    [backup] = Credential.objects.filter(purpose="backup")
    assert (backup.state, door.live()) == ("on_lock", 1)
    book(door)
    door.until(CHECK_IN - 20 * MINUTE)
    [first] = letters("ana@example.com")
    assert not door.opens(code_in(first)), "it has not reached the lock"
    door.until(CHECK_IN)
    _, second = letters("ana@example.com")
    assert second.startswith("Casa 1: please use this code instead\n")
    assert "The first PIN is void at this door." in second
    assert "It opens from Friday, 6 March, 15:00 until Monday, 9 March, 11:00." in second
    given = code_in(second)
    assert given != code_in(first)
    assert door.opens(given)
    door.wake()  # her hand on the keypad: the lock hears all that waited for it
    door.until(CHECK_IN + 10 * MINUTE)
    assert door.opens(given)
    assert not door.opens(code_in(first)), "withdrawn before it arrived: one code is valid"
    door.until(CHECK_OUT + MINUTE)
    door.wake()
    door.until(CHECK_OUT + 4 * HOUR)
    assert not door.opens(given)
    backup.refresh_from_db()
    assert backup.removed_at is not None
    [fresh] = Credential.objects.filter(purpose="backup", removed_at__isnull=True)
    assert (fresh.state, fresh.pin_fingerprint == backup.pin_fingerprint) == ("on_lock", False)
    assert len(letters("ana@example.com")) == 2, "nothing else is told"


def test_even_a_lock_that_nobody_wakes_for_days_keeps_the_guest_in_only_as_long_as_the_stay(door: Door) -> None:
    """The one remaining gap, and how long it is: asleep from hand-out on, the lock learns of the end when it wakes."""
    book(door)
    door.until(CHECK_IN)
    given = code_in(letters("ana@example.com")[1])
    door.wake()
    door.until(CHECK_IN + MINUTE)
    door.until(CHECK_OUT + SECOND)
    assert not door.opens(given), "the lock itself holds the stay's end since it woke for the first time"


def test_an_offline_code_opens_without_any_connection_and_says_what_it_is(door: Door) -> None:
    Lock.objects.update(offline_codes=True)
    book(door, "pt_BR")
    door.until(CHECK_IN)
    _, second = letters("ana@example.com")
    code = code_in(second)
    assert len(code) == 10
    assert door.opens(code)
    assert "O primeiro PIN pode passar a funcionar nesta porta mais tarde" in second
    assert "Use-o pela primeira vez antes de sábado, 7 de março" in second
    door.wake()
    door.until(CHECK_IN + HOUR)
    first = code_in(letters("ana@example.com")[0])
    assert door.opens(first), "her own PIN arrived after all"
    assert len(letters("ana@example.com")) == 2
    door.until(CHECK_OUT + SECOND)
    assert not door.opens(code)
    assert Fallback.objects.get().kind == "offline"
