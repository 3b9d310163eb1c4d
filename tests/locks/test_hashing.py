"""Hashing waits until no door does, and a crash in between loses nothing."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from locks import hashing, sealing
from locks.models import Credential
from locks.signals import credential_changed
from scheduler import services as jobs
from tests.builders import NOW, make_lock, make_reservation

pytestmark = pytest.mark.django_db
PINS = ["8203714", "5937261", "4618093"]


def waiting() -> list[Credential]:
    stay, end = make_reservation(), NOW + timedelta(days=1)
    return [
        Credential.objects.create(
            reservation=stay, lock=make_lock(), name="SL", pin_sealed=sealing.seal(pin), starts_at=NOW, ends_at=end,
            pin_fingerprint=sealing.fingerprint(pin),
        )
        for pin in PINS
    ]  # fmt: skip


def hashed() -> list[bool]:
    rows = Credential.objects.order_by("pk")
    return [sealing.matches(pin, row.pin_hash) for pin, row in zip(PINS, rows, strict=True)]


def test_what_waits_is_hashed_once() -> None:
    waiting()
    assert hashing.hash_pins(now=NOW) == 3
    assert hashed() == [True, True, True]
    assert hashing.hash_pins(now=NOW) == 0


def test_a_job_at_a_door_goes_first() -> None:
    waiting()
    job = jobs.schedule("locks.revoke_pin", due_at=NOW, now=NOW)
    assert hashing.hash_pins(now=NOW) == 0
    jobs.cancel(type(job).objects.filter(pk=job.pk), now=NOW)
    assert hashing.hash_pins(now=NOW) == 3


def test_it_stops_when_its_time_is_up_and_goes_on_the_next_time() -> None:
    waiting()
    assert hashing.hash_pins(now=NOW, seconds=-1) == 0
    assert hashing.hash_pins(now=NOW) == 3


def test_killed_in_the_middle_the_rest_is_done_later(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting()
    monkeypatch.setattr(hashing, "CORES", 1)
    real = sealing.hash_pin
    done: list[str] = []

    def killed_at_the_second(pin: str) -> str:
        if done:
            raise KeyboardInterrupt
        done.append(pin)
        return real(pin)

    monkeypatch.setattr(sealing, "hash_pin", killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        hashing.hash_pins(now=NOW)
    assert hashed() == [True, False, False]
    monkeypatch.setattr(sealing, "hash_pin", real)
    assert hashing.hash_pins(now=NOW) == 2


def test_a_pin_erased_meanwhile_stays_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting()
    real = sealing.unseal

    def erased_once_read(sealed: bytes) -> str:
        Credential.objects.update(pin_sealed=b"")
        return real(sealed)

    monkeypatch.setattr(sealing, "unseal", erased_once_read)
    assert hashing.hash_pins(now=NOW) == 0
    assert hashed() == [False, False, False]


def test_with_keep_delivered_the_hash_makes_the_telling_look_again(settings: pytest.FixtureRequest) -> None:
    settings.PIN_KEEP = "delivered"  # type: ignore[attr-defined]
    waiting()
    heard: list[int] = []

    def hear(credential: Credential, **_: object) -> None:
        heard.append(credential.pk)

    credential_changed.connect(hear)
    try:
        hashing.hash_pins(now=NOW)
    finally:
        credential_changed.disconnect(hear)
    assert len(heard) == 3


def test_each_core_hashes_one_and_none_is_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting()
    monkeypatch.setattr(hashing, "CORES", 3)
    together, real = threading.Barrier(3, timeout=30), sealing.hash_pin

    def hash_together(pin: str) -> str:
        together.wait()
        return real(pin)

    monkeypatch.setattr(sealing, "hash_pin", hash_together)
    assert hashing.hash_pins(now=NOW) == 3
    assert hashed() == [True, True, True]
