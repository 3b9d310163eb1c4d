"""Why did it not open? One row per cause; what was not seen is never called certain."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from locks.provider import Window
from smartlock.verdict.judge import AROUND, Case, Cause, DoorEvidence, Finding, Surety, verdict
from smartlock.verdict.words import LANGUAGES, evidence, for_the_guest
from tests.builders import NOW

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
STAY = Window(NOW - 5 * HOUR, NOW + 48 * HOUR)
OLD = Window(NOW - 5 * HOUR, NOW - HOUR)
# In the middle of the stay, the door holds the right PIN, and nobody has touched it.
FINE = DoorEvidence("Door", wish=STAY, held=STAY, proven_at=STAY.starts_at - HOUR, log_until=NOW)


def wrong(count: int) -> tuple[datetime, ...]:
    return tuple(NOW - number * MINUTE for number in range(count))


def judged(at: datetime = NOW, *, case: dict[str, Any] | None = None, **door: Any) -> list[Finding]:
    return verdict(Case(at, STAY, (replace(FINE, **door),), **(case or {})))


@pytest.mark.parametrize(
    ("at", "door", "cause", "surety"),
    [
        (NOW, {"opened": (NOW + MINUTE,)}, Cause.OPENED, Surety.CERTAIN),
        (NOW, {"opened": (NOW - 2 * AROUND,), "wrong": wrong(1)}, Cause.WRONG_DIGITS, Surety.LIKELY),
        (STAY.starts_at - MINUTE, {}, Cause.TOO_EARLY, Surety.CERTAIN),
        (STAY.starts_at - MINUTE, {"held": None, "proven_at": None}, Cause.NOT_TAKEN_YET, Surety.CERTAIN),
        (STAY.starts_at - MINUTE, {"proven_at": STAY.starts_at}, Cause.NOT_TAKEN_YET, Surety.CERTAIN),
        (STAY.ends_at, {}, Cause.TOO_LATE, Surety.CERTAIN),
        (NOW, {"wish": None, "held": None}, Cause.NO_PIN, Surety.CERTAIN),
        (STAY.starts_at - MINUTE, {"wish": None, "held": None}, Cause.NOT_TAKEN_YET, Surety.CERTAIN),
        (NOW, {"removed_at": NOW - HOUR}, Cause.REVOKED, Surety.CERTAIN),
        (NOW, {"unwanted_at": NOW - HOUR}, Cause.REVOKED, Surety.LIKELY),
        (NOW, {"unwanted_at": NOW + HOUR}, Cause.NOTHING_KNOWN, Surety.POSSIBLE),
        (NOW, {"held": None, "proven_at": None}, Cause.NEVER_CONFIRMED, Surety.LIKELY),
        (NOW, {"proven_at": NOW + HOUR}, Cause.NEVER_CONFIRMED, Surety.LIKELY),
        (NOW, {"held": OLD}, Cause.OTHER_TIMES, Surety.CERTAIN),
        (NOW, {"wrong": wrong(4)}, Cause.WRONG_DIGITS, Surety.LIKELY),
        (NOW, {"wrong": wrong(5)}, Cause.KEYPAD_LOCKED, Surety.LIKELY),
        (NOW, {"battery_flat": True}, Cause.BATTERY, Surety.LIKELY),
        (NOW, {"offline_since": NOW - HOUR}, Cause.OFFLINE, Surety.POSSIBLE),
        (NOW, {"offline_since": NOW + HOUR}, Cause.NOTHING_KNOWN, Surety.POSSIBLE),
        (NOW, {}, Cause.NOTHING_KNOWN, Surety.POSSIBLE),
    ],
)
def test_the_evidence_decides(at: datetime, door: dict[str, Any], cause: Cause, surety: Surety) -> None:
    first = judged(at, **door)[0]
    assert (first.cause, first.surety) == (cause, surety)


@pytest.mark.parametrize(
    ("case", "cause"),
    [({"is_confirmed": False}, Cause.NO_RIGHT), ({"withdrawn_at": NOW - HOUR}, Cause.REVOKED)],
)
def test_a_guest_without_a_right_is_told_that_alone(case: dict[str, Any], cause: Cause) -> None:
    assert [one.cause for one in judged(case=case, wrong=wrong(3))] == [cause]


def test_a_pin_before_its_time_that_the_lock_has_not_taken_is_not_said_to_open() -> None:
    at, asked_at = STAY.starts_at - MINUTE, STAY.starts_at - HOUR
    asked = judged(at, held=None, proven_at=None, asked_at=asked_at, sleeps=True)
    never = judged(at, held=None, proven_at=None)
    later = judged(at, held=None, proven_at=None, asked_at=at + MINUTE)
    assert [(one.until, one.at) for one in (*asked, *never, *later)] == [
        (asked_at, STAY.starts_at), (None, STAY.starts_at), (None, STAY.starts_at)
    ]  # fmt: skip
    zone = timezone.get_default_timezone()
    assert "had not taken the PIN yet" in evidence(asked[0], zone)
    assert "touches its keypad" in evidence(asked[0], zone)
    assert "had not been sent to Door yet" in evidence(never[0], zone)


def test_a_guest_for_whom_no_pin_was_made_is_not_told_to_type_it() -> None:
    zone = timezone.get_default_timezone()
    early, late = judged(STAY.starts_at - HOUR, wish=None, held=None)[0], judged(wish=None, held=None)[0]
    assert early.at == STAY.starts_at
    assert "is meant to work from" in for_the_guest(early, zone, "en")
    assert for_the_guest(late, zone, "en").startswith("There is no PIN of yours on this door.")


def test_what_was_taken_away_later_explains_nothing_earlier() -> None:
    assert judged(case={"withdrawn_at": NOW + HOUR})[0].cause is Cause.NOTHING_KNOWN


def test_a_wrong_pin_close_to_check_in_may_also_be_the_locks_clock() -> None:
    at = STAY.starts_at + 5 * MINUTE
    assert [one.cause for one in judged(at, wrong=(at,))] == [Cause.WRONG_DIGITS, Cause.LOCK_CLOCK]


def test_the_surest_of_several_doors_comes_first() -> None:
    doors = (FINE, replace(FINE, name="Gate", removed_at=NOW - HOUR))
    assert [(one.door, one.surety) for one in verdict(Case(NOW, STAY, doors))] == [
        ("Gate", Surety.CERTAIN), ("Door", Surety.POSSIBLE),
    ]  # fmt: skip


def test_a_unit_without_a_lock_has_no_door_to_open() -> None:
    assert verdict(Case(NOW, STAY, ()))[0].cause is Cause.NO_PIN


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_has_words_for_both_in_two_languages(cause: Cause) -> None:
    finding = Finding(cause, Surety.LIKELY, "Door", at=NOW, until=NOW + HOUR, count=2)
    zone = timezone.get_default_timezone()
    texts = [for_the_guest(finding, zone, code) for code, _name in LANGUAGES]
    assert texts[0] != texts[1]
    with translation.override("pt-br"):
        portuguese = evidence(finding, zone)
    with translation.override("en"):
        assert evidence(finding, zone) != portuguese
