"""What a lock tells by itself becomes facts, signals and an earlier look; the plan itself never rests on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.dispatch import Signal

from locks import doors, heard
from locks.heard import Listener
from locks.models import Credential, Lock
from locks.plan import REVOKE
from locks.provider import AlarmKind
from locks.signals import door_alarmed, door_opened
from locks.tuya.push import Heard
from scheduler.models import Job
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import time_machine_at
from tests.locks.fake_door import FakeDoors

pytestmark = pytest.mark.django_db
AT = int(NOW.timestamp() * 1000)


def report(lock: Lock, code: str, value: object) -> Heard:
    return Heard(lock.device_id, None, ({"update_time": AT, "status": {"code": code, "value": value}},))


@pytest.fixture
def signals() -> Iterator[list[object]]:
    got: list[object] = []

    def hear(signal: Signal, **what: object) -> None:
        got.append(what.get("opening") or what.get("alarm"))

    door_opened.connect(hear)
    door_alarmed.connect(hear)
    yield got
    door_opened.disconnect(hear)
    door_alarmed.disconnect(hear)


def test_facts_are_kept_and_openings_and_alarms_passed_on(signals: list[object]) -> None:
    lock = make_lock(radio="wifi")
    listener = Listener()
    listener.handle(Heard(lock.device_id, True), now=NOW)
    listener.handle(report(lock, "residual_electricity", 12), now=NOW)
    listener.handle(report(lock, "unlock_temporary", "5"), now=NOW)
    listener.handle(report(lock, "alarm_lock", "pry"), now=NOW)
    lock.refresh_from_db()
    assert (lock.online, lock.battery_percent, lock.seen_at) == (True, 12, NOW)
    opening, alarm = signals
    assert (opening.pin_ref, opening.at) == ("905", NOW)  # type: ignore[attr-defined]
    assert alarm.kind is AlarmKind.TAMPER  # type: ignore[attr-defined]
    listener.handle(Heard(lock.device_id, False), now=NOW)
    lock.refresh_from_db()
    assert (lock.online, lock.battery_percent) == (False, 12)


def test_a_device_that_is_not_ours_is_passed_over(signals: list[object]) -> None:
    assert Listener().handle(Heard("somebody-elses", True), now=NOW) is False
    assert signals == []


def test_a_lock_that_wakes_is_looked_at_soon_and_what_is_not_due_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    street = FakeDoors(asleep=True)
    monkeypatch.setattr(doors, "provider_for", lambda _: street)
    monkeypatch.setattr(heard, "LOOKS_AFTER_SECONDS", (0.0,))
    with time_machine_at(NOW) as clock:
        unit = make_accommodation()
        lock = make_lock(unit, radio="wifi")
        stay = make_reservation(unit)
        clock.until(stay.check_in_at - timedelta(minutes=40))
        assert Credential.objects.get().state == "requested"
        revoke = Job.objects.get(kind=REVOKE).run_at
        listener, now = Listener(), clock.now
        street.wake()
        listener.handle(Heard(lock.device_id, True), now=now)
        assert listener.idle(now=now) == 1
        clock.until(now + timedelta(seconds=1))
        assert Credential.objects.get().state == "on_lock"
        assert Job.objects.get(kind=REVOKE).run_at == revoke
        assert listener.idle(now=clock.now) == 0


@pytest.mark.parametrize("url", ["", "http://nowhere"])
def test_the_command_says_what_is_not_configured(url: str, settings: object) -> None:
    settings.TUYA_PUSH_URL = url  # type: ignore[attr-defined]
    with pytest.raises(CommandError) as caught:
        call_command("listen_tuya")
    assert caught.value.returncode == 2
    assert "TUYA_PUSH_URL" in str(caught.value)
