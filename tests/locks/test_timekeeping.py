"""A lock that goes by a wrong clock is found out by what it does, told once, and put away when it keeps time again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import translation
from pytest_django.fixtures import Settings

from locks import doors
from locks.caretaker import look_after
from locks.complaints import import_events
from locks.lock_troubles import duration, trouble_of
from locks.models import Credential, Lock, LockIncident
from locks.openings import import_openings, record_openings
from locks.provider import AlarmKind, DoorAlarm, DoorOpening, Window
from locks.timekeeping import Deed, Finding, Held, Sign, is_refuted, refusals, sign_of
from notifications.models import Notice
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.locks.fake_door import FakeDoors

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START, END = NOW + 2 * HOUR, NOW + 50 * HOUR
PIN = Held(Window(START, END), proven_at=START - HOUR)
EARLY, LATE, FUTURE, REFUSED = Sign.EARLY, Sign.LATE, Sign.FUTURE, Sign.REFUSED


@pytest.mark.parametrize(
    ("at", "known_after", "sign", "off"),
    [
        pytest.param(START - 40 * MINUTE, HOUR, EARLY, 40 * MINUTE, id="before its beginning"),
        pytest.param(START - 9 * MINUTE, HOUR, None, None, id="a little before it: clocks drift"),
        pytest.param(START - 61 * MINUTE, HOUR, None, None, id="before it was proven: it may have had other times"),
        pytest.param(START + HOUR, 9 * HOUR, None, None, id="inside, handed in late"),
        pytest.param(END + 3 * HOUR, HOUR, LATE, -3 * HOUR, id="long after its end"),
        pytest.param(END + 65 * MINUTE, HOUR, None, None, id="after its end, perhaps only handed in then"),
        pytest.param(START + 5 * HOUR, -2 * HOUR, FUTURE, 2 * HOUR, id="in the future"),
        pytest.param(START + 5 * HOUR, -9 * MINUTE, None, None, id="a little in the future"),
    ],
)
def test_what_an_opening_says_of_the_clock(
    at: datetime, known_after: timedelta, sign: Sign | None, off: timedelta | None
) -> None:
    found = sign_of(Deed(at, at + known_after, PIN), log_delay=HOUR)
    assert (found and found.sign, found and found.off) == (sign, off)


TRIES = [START + 20 * MINUTE, START + 21 * MINUTE, START + 25 * MINUTE]
KNOWN = START + HOUR


@pytest.mark.parametrize(
    ("wrong", "entered", "pin", "known", "is_found"),
    [
        pytest.param(TRIES, [], PIN, KNOWN, True, id="three in five minutes, and she never came in"),
        pytest.param(TRIES[1:], [], PIN, KNOWN, False, id="two are a slip"),
        pytest.param([START, *TRIES[1:]], [], PIN, KNOWN, False, id="three in an hour are slips"),
        pytest.param(TRIES, [TRIES[-1] + MINUTE], PIN, KNOWN, False, id="somebody came in after them"),
        pytest.param(TRIES, [], PIN, TRIES[-1] + MINUTE, False, id="what came after is not known yet"),
        pytest.param(TRIES, [], Held(PIN.window, START, START + 2 * HOUR), KNOWN, False, id="it has opened since"),
        pytest.param(TRIES, [], Held(PIN.window, TRIES[1]), KNOWN, False, id="proven only between them"),
        pytest.param([at - HOUR for at in TRIES], [], PIN, KNOWN, False, id="too early is no fault of the lock"),
        pytest.param([at + 13 * HOUR for at in TRIES], [], PIN, END, False, id="in the night: hardly her"),
    ],
)
def test_when_wrong_pins_are_a_right_one_refused(
    wrong: list[datetime], entered: list[datetime], pin: Held, known: datetime, is_found: bool
) -> None:
    found = refusals(wrong, entered, [pin], known)
    assert found == (Finding(REFUSED, TRIES[-1], -25 * MINUTE) if is_found else None)


@pytest.mark.parametrize(
    ("at", "off", "is_right"),
    [
        pytest.param(END - 20 * MINUTE, HOUR, True, id="ahead, it would have shut by now"),
        pytest.param(END - 2 * HOUR, HOUR, False, id="ahead, it would have opened as well"),
        pytest.param(START + 20 * MINUTE, -HOUR, True, id="behind, it would not have opened yet"),
        pytest.param(START + 2 * HOUR, -HOUR, False, id="behind, it would have opened by now"),
        pytest.param(START + 2 * HOUR, None, True, id="suspected only, and she came in"),
        pytest.param(START - MINUTE, None, False, id="outside its window"),
        pytest.param(NOW - HOUR, HOUR, False, id="before the last sign of it"),
    ],
)
def test_which_opening_a_wrong_clock_would_not_have_allowed(
    at: datetime, off: timedelta | None, is_right: bool
) -> None:
    assert is_refuted(Deed(at, at + MINUTE, PIN), off, since=NOW) is is_right


# --- with a lock ----------------------------------------------------------------------------------------------------


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> FakeDoors:
    fake = FakeDoors()
    monkeypatch.setattr(doors, "provider_for", lambda _: fake)
    return fake


@pytest.fixture
def lock(db: None) -> Lock:
    return make_lock(make_accommodation(name="Casa 1"), name="Porta 1", radio="zigbee")


def give_pin(lock: Lock, ref: str = "7", starts_at: datetime = START, **over: Any) -> Credential:
    ends_at = starts_at + (END - START)
    stay = make_reservation(lock.accommodations.get(), short_id=f"S{ref}", external_id=f"stay-{ref}")
    values: dict[str, Any] = {
        "reservation": stay, "lock": lock, "name": f"SL {ref}", "pin_fingerprint": ref, "provider_ref": ref,
        "starts_at": starts_at, "ends_at": ends_at, "asked_at": starts_at - HOUR, "asked_starts_at": starts_at,
        "asked_ends_at": ends_at, "lock_starts_at": starts_at, "lock_ends_at": ends_at, "proven_at": starts_at - HOUR,
        "state": Credential.State.ON_LOCK,
    }  # fmt: skip
    return Credential.objects.create(**values | over)


def opening(at: datetime, ref: str | None = "7") -> DoorOpening:
    return DoorOpening(at, "temporary", ref, "")


def test_an_early_opening_is_told_once_and_a_clock_that_is_right_again_ends_it(street: FakeDoors, lock: Lock) -> None:
    give_pin(lock)
    street.opened = [opening(START - 40 * MINUTE), opening(START - 30 * MINUTE)]
    import_openings(lock, now=START)
    incident = LockIncident.objects.get()
    assert (incident.kind, incident.off_minutes, incident.told_at) == ("clock", 40, START)
    notice = Notice.objects.get(code="lock_clock")
    assert "Porta 1 (Casa 1)" in notice.text
    assert "at least 40 min ahead" in notice.text
    assert "sync its time" in notice.text
    street.opened.append(opening(END - 5 * MINUTE))
    import_openings(lock, now=END)
    incident.refresh_from_db()
    assert incident.ended_at == END
    assert Notice.objects.get(code="lock_clock_over").level == Notice.Level.INFO


def test_a_stamp_from_the_future_is_read_and_does_not_hide_a_silent_lock(street: FakeDoors, lock: Lock) -> None:
    give_pin(lock)
    street.opened = [opening(START + 4 * HOUR)]
    import_openings(lock, now=START + HOUR)
    lock.refresh_from_db()
    assert LockIncident.objects.get().off_minutes == 180
    assert lock.heard_at == START + HOUR
    import_openings(lock, now=START + 5 * HOUR)
    assert Notice.objects.filter(code="lock_clock").count() == 1


@pytest.mark.parametrize("ref", [None, "44", "907"])
def test_an_opening_that_is_ours_only_by_guess_proves_nothing(lock: Lock, ref: str | None) -> None:
    give_pin(lock)
    record_openings(lock, [opening(START - 40 * MINUTE, ref)], now=START)
    assert not LockIncident.objects.exists()


def wrong(*times: datetime) -> list[DoorAlarm]:
    return [DoorAlarm(at, AlarmKind.WRONG_PIN, "wrong_password") for at in times]


def test_a_guest_who_is_refused_is_told_as_a_suspicion_that_ends_when_she_comes_in(
    street: FakeDoors, lock: Lock
) -> None:
    give_pin(lock)
    street.alarmed = wrong(*TRIES)
    import_events(lock, now=KNOWN)
    assert not LockIncident.objects.exists(), "the log may hold her opening"
    import_openings(lock, now=KNOWN)
    incident = LockIncident.objects.get()
    assert (incident.kind, incident.off_minutes) == ("clock", None)
    assert "mistypes it, or the lock's clock is behind" in Notice.objects.get().text
    street.opened = [opening(START + 3 * HOUR)]
    import_openings(lock, now=START + 4 * HOUR)
    incident.refresh_from_db()
    assert incident.ended_at == START + 4 * HOUR
    import_openings(lock, now=START + 5 * HOUR)
    assert LockIncident.objects.count() == 1


def test_a_lock_that_is_behind_is_right_again_when_the_next_guest_comes_in_at_once(
    street: FakeDoors, lock: Lock
) -> None:
    give_pin(lock)
    give_pin(lock, "8", END + 6 * HOUR)
    record_openings(lock, [opening(END + 3 * HOUR)], now=END + 4 * HOUR)
    assert LockIncident.objects.get().off_minutes == -180
    record_openings(lock, [opening(END + 6 * HOUR + 10 * MINUTE, "8")], now=END + 7 * HOUR)
    assert LockIncident.objects.get().ended_at == END + 7 * HOUR


def test_without_a_further_sign_it_is_over_after_three_days(lock: Lock) -> None:
    give_pin(lock)
    record_openings(lock, [opening(START - HOUR / 2)], now=START)
    look_after(now=START + 2 * DAY)
    assert LockIncident.objects.get(kind="clock").ended_at is None
    look_after(now=START + 3 * DAY)
    assert LockIncident.objects.get(kind="clock").ended_at == START + 3 * DAY


@pytest.mark.parametrize(
    ("off", "english", "portuguese"),
    [
        (180, "at least 3 h ahead", "adiantado em pelo menos 3 h"),
        (-200, "at least 3 h 20 min behind", "atrasado em pelo menos 3 h 20 min"),
        (None, "mistyped, or the lock's clock is behind", "digitado errado ou o relógio da fechadura está atrasado"),
    ],
)
def test_it_is_explained_in_the_operators_language(off: int | None, english: str, portuguese: str) -> None:
    incident = LockIncident(kind="clock", off_minutes=off)
    assert english in trouble_of(incident).text
    with translation.override("pt-br"):
        trouble = trouble_of(incident)
    assert portuguese in trouble.text
    assert "aplicativo" in trouble.remedy


@pytest.mark.parametrize("kind", LockIncident.Kind)
def test_every_incident_has_a_meaning_and_a_remedy_in_both_languages(kind: LockIncident.Kind) -> None:
    english = trouble_of(LockIncident(kind=kind))
    with translation.override("pt-br"):
        portuguese = trouble_of(LockIncident(kind=kind))
    assert english.code == portuguese.code == kind.value
    assert english.text != portuguese.text
    assert english.remedy != portuguese.remedy


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_the_notice_is_whole_in_the_operators_language(lock: Lock, settings: Settings, language: str) -> None:
    settings.LANGUAGE_CODE = language
    give_pin(lock)
    record_openings(lock, [opening(START - HOUR / 2)], now=START)
    [notice] = Notice.objects.all()
    assert ("adiantado em pelo menos 30 min" if language == "pt-br" else "at least 30 min ahead") in notice.text
    assert "{" not in notice.title + notice.text


def test_a_duration_in_words() -> None:
    times = (timedelta(0), 5 * MINUTE, HOUR, 3 * HOUR + 20 * MINUTE)
    assert [duration(time) for time in times] == ["0 min", "5 min", "1 h", "3 h 20 min"]
