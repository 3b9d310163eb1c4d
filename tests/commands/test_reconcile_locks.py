"""A lock's own list against our records: what is missing, what should be gone, what is not ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from locks import reconcile
from locks.errors import Configuration, WaitForDevice
from locks.foreign import REMOVE_FOREIGN
from locks.models import Credential, Lock, LockReport
from locks.plan import CHANGE, GENERATE, REVOKE
from locks.provider import Device, PinReading, PinState, Window
from locks.reconcile import Ours, compare
from reservations.models import Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.commands.run import run

MINE = Ours(credential_id=1, subject="reservation:1", name="SL 1", ref="7", is_due=True, is_wanted=True)
ENDED = Ours(credential_id=2, subject="reservation:1", name="SL 2", ref="8", is_due=False, is_wanted=False)
ASKED = Ours(credential_id=3, subject="reservation:1", name="SL 3", ref="", is_due=False, is_wanted=True)


def pin(name: str, ref: str = "0", state: PinState = PinState.ON_LOCK) -> PinReading:
    return PinReading(ref=ref, name=name, state=state, window=None)


def test_a_lock_that_holds_what_it_should_agrees() -> None:
    assert compare([MINE, ENDED, ASKED], [pin("SL 1"), pin("SL 3")]).is_empty()


def test_what_the_lock_does_not_list_is_missing() -> None:
    assert compare([MINE, ASKED], []).missing == (MINE,)


def test_what_should_be_gone_is_unwanted_under_its_name_or_its_number() -> None:
    assert compare([ENDED], [pin("SL 2")]).unwanted == (ENDED,)
    assert compare([ENDED], [pin("renamed by somebody", ref="8")]).unwanted == (ENDED,)


def test_what_is_on_its_way_off_is_as_good_as_gone() -> None:
    assert compare([ENDED], [pin("SL 2", state=PinState.REMOVING)]).is_empty()


def test_the_owners_own_pin_is_foreign() -> None:
    owners = pin("Caseiro")
    assert compare([MINE], [pin("SL 1"), owners]).foreign == (owners,)


STAY = Window(NOW, NOW + timedelta(days=3))
SENT = replace(MINE, asked=STAY, asked_at=NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("reading", "what"),
    [
        (PinReading("7", "SL 1", PinState.ON_LOCK, STAY), ()),
        (PinReading("7", "SL 1", PinState.ON_LOCK, None), ()),
        (PinReading("7", "SL 1", PinState.ON_LOCK, Window(NOW, STAY.ends_at + timedelta(seconds=59))), ()),
        (PinReading("7", "SL 1", PinState.ON_LOCK, Window(NOW, STAY.ends_at + timedelta(days=30))), ("ends_at",)),
        (PinReading("7", "SL 1", PinState.ON_LOCK, Window(NOW - timedelta(days=1), STAY.ends_at)), ("starts_at",)),
        (PinReading("7", "Ana", PinState.ON_LOCK, STAY), ("name",)),
        (PinReading("7", "SL 1", PinState.FAILED, STAY), ("state",)),
    ],
)
def test_what_somebody_changed_on_the_lock_is_told(reading: PinReading, what: tuple[str, ...]) -> None:
    found = compare([SENT], [reading])
    assert tuple(name for one in found.changed for name in one.what) == what
    assert (found.missing, found.foreign, found.unwanted) == ((), (), ())


def test_a_start_that_had_passed_when_it_was_sent_is_no_change() -> None:
    late = replace(SENT, asked_at=NOW + timedelta(hours=5))
    began = Window(NOW + timedelta(hours=5, seconds=30), STAY.ends_at)
    assert compare([late], [PinReading("7", "SL 1", PinState.ON_LOCK, began)]).is_empty()


class FakeDoor:
    """Lists what it is told to; knows nothing of single PINs but that the unlisted ones are gone."""

    def __init__(self, *pins: PinReading, error: Exception | None = None) -> None:
        self.pins = list(pins)
        self.error = error
        self.expired: list[PinReading] = []
        self.calls = 0

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        self.calls += 1
        if self.error:
            raise self.error
        return [*self.pins, *self.expired] if expired else self.pins

    def read_pin(self, device: Device, ref: str) -> PinReading:
        self.calls += 1
        return next((pin for pin in self.pins if pin.ref == ref), pin("", ref, PinState.GONE))


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeDoor], None]:
    return lambda fake: monkeypatch.setattr(reconcile, "provider_for", lambda name: fake)


@pytest.fixture
def stay(db: None) -> Reservation:
    """In house since yesterday, until the day after tomorrow, in a unit with one lock."""
    unit = make_accommodation()
    make_lock(unit, name="Porta 1")
    today = clock.now().date()
    return make_reservation(
        unit, check_in_date=today - timedelta(days=1), check_out_date=today + timedelta(days=2), facts_at=clock.now()
    )


def give_pin(stay: Reservation, **over: object) -> Credential:
    values: dict[str, object] = {
        "reservation": stay, "lock": Lock.objects.get(), "name": "SL a1", "pin_fingerprint": "f", "provider_ref": "7",
        "starts_at": stay.check_in_at, "ends_at": stay.check_out_at, "state": Credential.State.ON_LOCK,
        "asked_at": stay.check_in_at, "asked_starts_at": stay.check_in_at, "asked_ends_at": stay.check_out_at,
    }  # fmt: skip
    Job.objects.all().delete()
    return Credential.objects.create(**values | over)


def test_dry_run_shows_the_difference_and_changes_nothing(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    credential = give_pin(stay)
    door(FakeDoor(pin("Caseiro", "99")))
    answer = run("reconcile_locks", "--dry-run", "--json")
    assert answer.code == 1
    (report,) = answer.json
    assert [row["credential"] for row in report["missing"]] == [credential.pk]
    assert report["unwanted"] == []
    (owners,) = report["foreign"]
    assert (owners["name"], owners["ref"], owners["state"]) == ("Caseiro", "99", "on_lock")
    assert report["mending"] == 0
    credential.refresh_from_db()
    assert credential.state == Credential.State.ON_LOCK
    assert not Job.objects.exists()


def test_a_missing_pin_is_given_again_by_a_job(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    give_pin(stay)
    door(FakeDoor())
    assert run("reconcile_locks", "--json").code == 0
    assert Job.objects.filter(kind=GENERATE, state=Job.State.SCHEDULED, run_at__lte=clock.now()).exists()


def test_a_pin_that_came_back_is_taken_off_by_a_job(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    give_pin(
        stay, name="SL old", provider_ref="5", wanted=False, state=Credential.State.ABSENT, removed_at=clock.now(),
        unwanted_at=long_ago, starts_at=long_ago, ends_at=long_ago + timedelta(days=1),
    )  # fmt: skip
    door(FakeDoor(pin("SL old", "5")))
    answer = run("reconcile_locks", "--lock", "Porta 1", "--json")
    assert answer.json[0]["mending"] == 1
    assert Job.objects.filter(kind=REVOKE, run_at__lte=clock.now()).exists()
    assert Credential.objects.get().removed_at is None


def test_a_door_that_cannot_be_read_is_reported(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    door(FakeDoor(error=WaitForDevice("Porta 1 is out of reach.")))
    answer = run("reconcile_locks")
    assert answer.code == 1
    assert "out of reach" in answer.out


def test_a_missing_login_is_a_matter_of_configuration(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    door(FakeDoor(error=Configuration("TUYA_CLIENT_ID is not set.")))
    assert run("reconcile_locks").code == 2


@pytest.mark.django_db
def test_an_unknown_lock_is_one_sentence() -> None:
    assert run("reconcile_locks", "--lock", "nowhere").code == 1
    assert run("reconcile_locks").out == "There are no locks.\n"


def test_a_foreign_code_goes_only_when_it_is_named(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    give_pin(stay)
    door(FakeDoor(pin("SL a1", "7"), pin("Caseiro", "99")))
    assert run("reconcile_locks").code == 0
    assert not Job.objects.filter(kind=REMOVE_FOREIGN).exists()
    assert run("reconcile_locks", "--dry-run", "--remove-foreign", "Caseiro").code == 0
    assert not Job.objects.filter(kind=REMOVE_FOREIGN).exists()
    answer = run("reconcile_locks", "--remove-foreign", "Caseiro", "--json")
    assert (answer.code, answer.json[0]["removing"]) == (0, ["99"])
    assert Job.objects.get(kind=REMOVE_FOREIGN).payload == {"lock": Lock.objects.get().pk, "ref": "99"}
    assert AuditLog.objects.filter(action="lock.foreign_removal", actor="command").exists()
    assert run("reconcile_locks", "--remove-foreign", "nobody").code == 1


def test_a_hand_made_change_is_reported_and_put_right_when_told(
    stay: Reservation, door: Callable[[FakeDoor], None]
) -> None:
    credential = give_pin(stay)
    longer = Window(stay.check_in_at, stay.check_out_at + timedelta(days=9))
    door(FakeDoor(PinReading("7", "SL a1", PinState.ON_LOCK, longer)))
    answer = run("reconcile_locks", "Porta 1", "--json")
    assert (answer.code, answer.json[0]["changed"][0]["what"]) == (1, ["ends_at"])
    assert not Job.objects.exists()
    assert run("reconcile_locks", "--put-right").code == 0
    assert Job.objects.filter(kind=CHANGE, subject=stay.subject).exists()
    credential.refresh_from_db()
    assert credential.provider_ref == "7"


def test_the_last_report_is_kept_and_says_when_a_lock_could_not_be_read(
    stay: Reservation, door: Callable[[FakeDoor], None]
) -> None:
    give_pin(stay)
    door(FakeDoor(pin("SL a1", "7"), pin("Caseiro", "99")))
    run("reconcile_locks", "--dry-run")
    report = LockReport.objects.get()
    assert (report.held, report.foreign, report.missing, report.error) == (2, 1, 0, "")
    door(FakeDoor(error=WaitForDevice("Porta 1 is out of reach.")))
    run("reconcile_locks")
    again = LockReport.objects.get()
    assert "out of reach" in again.error
    assert again.found == report.found
    assert again.checked_at == report.checked_at


def test_a_code_whose_answer_was_lost_and_that_is_over_is_found_on_the_longer_list(
    stay: Reservation, door: Callable[[FakeDoor], None]
) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    give_pin(
        stay, name="SL lost", provider_ref="", state=Credential.State.REQUESTED, wanted=False, unwanted_at=long_ago,
        starts_at=long_ago, ends_at=long_ago + timedelta(days=1),
    )  # fmt: skip
    fake = FakeDoor()
    fake.expired = [pin("SL lost", "5")]
    door(fake)
    answer = run("reconcile_locks", "--dry-run", "--json")
    assert [row["name"] for row in answer.json[0]["unwanted"]] == ["SL lost"]


def test_a_lock_in_order_costs_one_call(stay: Reservation, door: Callable[[FakeDoor], None]) -> None:
    give_pin(stay)
    fake = FakeDoor(pin("SL a1", "7"))
    door(fake)
    run("reconcile_locks")
    assert fake.calls == 1
