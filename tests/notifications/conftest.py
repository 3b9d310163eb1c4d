"""A stage: a stay whose doors hold PINs as the test says, a clock that stands still, and jobs run as a worker would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from locks import sealing
from locks.models import Credential, Lock
from locks.store import note
from notifications.planning import TELL_GUEST
from reservations.models import Accommodation, Reservation
from scheduler import clock, kinds, runner
from scheduler.models import Job
from tests.builders import NOW, make_accommodation, make_lock, make_reservation

PIN = "4820519"
Committing = Callable[[], AbstractContextManager[Any]]


@dataclass
class Stage:
    """What a test does to the world, in its words. ``now`` is what the product's clock shows."""

    committing: Committing
    now: datetime = NOW

    def book(self, *, unit: Accommodation | None = None, doors: int = 1, **over: Any) -> Reservation:
        unit = unit or make_accommodation(name="Copacabana 301")
        for number in range(doors):
            make_lock(unit, name=f"Porta {number + 1}", radio=Lock.Radio.WIFI)
        return make_reservation(unit, **over)

    def accept(self, stay: Reservation, lock: Lock | None = None, pin: str = PIN) -> Credential:
        """The cloud took the PIN; the lock has not proven it."""
        lock = lock or stay.accommodation.locks.get()
        with self.committing():
            credential = Credential.objects.create(
                reservation=stay, lock=lock, name=f"SL {stay.pk} {lock.pk} {pin[:2]}", pin_sealed=sealing.seal(pin),
                pin_fingerprint=sealing.fingerprint(pin), starts_at=stay.check_in_at, ends_at=stay.check_out_at,
                pin_hash=sealing.hash_pin(pin),
            )  # fmt: skip
            self.ask(credential)
        return credential

    def ask(self, credential: Credential) -> None:
        credential.refresh_from_db()
        with self.committing():
            note(
                credential, state=Credential.State.REQUESTED, provider_ref="ref", asked_at=self.now,
                asked_starts_at=credential.starts_at, asked_ends_at=credential.ends_at,
            )  # fmt: skip

    def prove(self, credential: Credential) -> None:
        credential.refresh_from_db()
        with self.committing():
            note(
                credential, state=Credential.State.ON_LOCK, proven_at=self.now,
                lock_starts_at=credential.asked_starts_at, lock_ends_at=credential.asked_ends_at,
            )  # fmt: skip

    def on_the_door(self, stay: Reservation, lock: Lock | None = None, pin: str = PIN) -> Credential:
        credential = self.accept(stay, lock, pin)
        self.prove(credential)
        return credential

    def job(self, kind: str = TELL_GUEST) -> Job | None:
        return Job.objects.filter(kind=kind, state__in=Job.LIVE).first()

    def work(self, kind: str = TELL_GUEST) -> list[str]:
        """Run the live jobs of this kind that are due, as a worker would."""
        due = Job.objects.filter(kind=kind, state=Job.State.SCHEDULED, run_at__lte=self.now)
        with self.committing():
            return [runner.run_one(kinds.get(kind), job.pk, job.version, worker="test") for job in due]

    def told(self, stay: Reservation) -> None:
        """The guest has her PIN, proven on her door."""
        self.on_the_door(stay)
        assert self.work() == ["succeeded"]

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def stage(db: None, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Callable[..., Any]) -> Stage:
    @contextmanager
    def committing() -> Iterator[None]:
        with django_capture_on_commit_callbacks(execute=True):
            yield

    stage = Stage(committing)
    monkeypatch.setattr(clock, "now", lambda: stage.now)
    return stage
