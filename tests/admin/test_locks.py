"""A lock's page tells how it is; comparing shows the difference first and touches a foreign code only when ticked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from locks import doors, reconcile
from locks.foreign import REMOVE_FOREIGN
from locks.models import BatteryReading, Credential, Lock, LockEvent, LockIncident, LockReport, Opening
from locks.provider import Window
from scheduler import clock
from scheduler.models import Job
from tests.admin.house import make_house
from tests.locks.fake_door import FakeDoors, Held

DAY = timedelta(days=1)


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    monkeypatch.setattr(reconcile, "provider_for", lambda _: fake)
    return fake


@pytest.fixture
def lock(db: None) -> Lock:
    make_house(1, clock.now())
    return Lock.objects.get()


def page(lock: Lock, name: str = "change") -> str:
    return reverse("admin:locks_lock_change", args=[lock.pk]).replace("change/", f"{name}/")


def furnish(street: FakeDoors, lock: Lock) -> Credential:
    """Our PIN is on it, with another end, and the owner's code."""
    ours, now = Credential.objects.get(lock=lock), clock.now()
    longer = Window(ours.starts_at, ours.ends_at + 9 * DAY)
    street.held = {
        ours.provider_ref: Held(lock.device_id, ours.name, "1", longer),
        "99": Held(lock.device_id, "Caseiro", "2", Window(now, now + 90 * DAY)),
    }  # fmt: skip
    Job.objects.all().delete()
    return ours


def test_the_page_tells_who_came_in_and_what_it_reported(operator: Client, lock: Lock) -> None:
    now, ours = clock.now(), Credential.objects.get()
    Lock.objects.update(battery_percent=12, battery_at=now, heard_at=now, online=True)
    for days, percent in ((9, 30), (0, 12)):
        BatteryReading.objects.create(lock=lock, at=now - days * DAY, percent=percent)
    Opening.objects.create(
        lock=lock, at=now, method="temporary", who="guest", matched_by="ref", credential=ours, recorded_at=now
    )
    Opening.objects.create(lock=lock, at=now - DAY, method="fingerprint", name="Dona Lu", recorded_at=now)
    LockEvent.objects.create(lock=lock, at=now, kind="wrong_pin", recorded_at=now)
    text = operator.get(page(lock)).content.decode()
    for expected in ("12 %", "Dona Lu", "Ana Teste", "wrong PIN", "sl-bar-danger", "not compared yet"):
        assert expected in text


def test_the_page_explains_a_clock_that_seems_wrong(operator: Client, lock: Lock) -> None:
    now = clock.now()
    incident = LockIncident.objects.create(lock=lock, kind="clock", began_at=now, last_at=now, off_minutes=90)
    text = operator.get(page(lock)).content.decode()
    assert "its clock seems wrong" in text
    assert "at least 1 h 30 min ahead" in text
    assert "sync its time" in text
    LockIncident.objects.filter(pk=incident.pk).update(ended_at=now)
    assert "at least 1 h 30 min ahead" not in operator.get(page(lock)).content.decode()


def test_comparing_shows_the_difference_and_changes_nothing(operator: Client, street: FakeDoors, lock: Lock) -> None:
    furnish(street, lock)
    text = operator.get(page(lock, "compare")).content.decode()
    assert "Caseiro (99)" in text
    assert "changed by hand" in text
    assert not Job.objects.exists()
    assert LockReport.objects.get().actor == "olga"


@pytest.mark.parametrize(("ticked", "removed"), [({}, False), ({"foreign": "99"}, True), ({"foreign": "77"}, False)])
def test_a_foreign_code_goes_only_when_it_is_ticked(
    operator: Client, street: FakeDoors, lock: Lock, ticked: dict[str, str], removed: bool
) -> None:
    furnish(street, lock)
    assert operator.post(page(lock, "compare"), ticked).status_code == 302
    assert Job.objects.filter(kind=REMOVE_FOREIGN).exists() is removed
    assert not Job.objects.filter(kind="locks.change_window").exists()  # it was not ticked either


def test_a_ticked_change_is_put_right_by_a_job(operator: Client, street: FakeDoors, lock: Lock) -> None:
    ours = furnish(street, lock)
    operator.post(page(lock, "compare"), {"changed": str(ours.pk)})
    assert Job.objects.filter(kind="locks.change_window", subject=ours.subject).exists()


def test_looking_is_not_asking(newcomer: Client, street: FakeDoors, lock: Lock) -> None:
    assert newcomer.get(page(lock, "compare")).status_code == 403
    assert street.calls == []


def test_reading_now_asks_the_lock(operator: Client, street: FakeDoors, lock: Lock) -> None:
    street.battery = 66
    choice = {"action": "read_now", "_selected_action": str(lock.pk)}
    operator.post(reverse("admin:locks_lock_changelist"), choice)
    lock.refresh_from_db()
    assert (lock.battery_percent, street.calls) == (66, ["device", "openings", "alarms"])


def test_a_busy_log_takes_no_more_queries(operator: Client, lock: Lock) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as counted:
            operator.get(page(lock))
        return len(counted)

    now, ours = clock.now(), Credential.objects.get()

    def open_door(number: int) -> None:
        Opening.objects.create(
            lock=lock, at=now - number * DAY, method="temporary", who="guest", matched_by="ref", credential=ours,
            recorded_at=now,
        )  # fmt: skip

    open_door(1)
    queries()
    before = queries()
    for number in range(2, 12):
        open_door(number)
    assert queries() == before


def test_portuguese_is_spoken(operator: Client, lock: Lock) -> None:
    text = operator.get(page(lock), headers={"accept-language": "pt-br"}).content.decode()
    assert "Registro de aberturas" in text
    assert "Comparar com nossos registros" in text
    assert "Open log" not in text
