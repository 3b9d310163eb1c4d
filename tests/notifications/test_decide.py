"""What is told, and when: the table, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from notifications.decide import BREATH, Knows, Template, Truth, decide, due_at, knows_after, must_wait_for_proof

START = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
END = START + timedelta(days=3)
PATIENCE = timedelta(minutes=30)
KNOWN = Knows(unit=1, starts_at=START, ends_at=END, codes={"7": "aa", "8": "aa"})
FORGOTTEN = Knows(unit=1, starts_at=START, ends_at=END)
TRUTH = Truth(is_confirmed=True, is_active=True, is_over=False, check_in_at=START, tellable=KNOWN, all_proven=True)
CANCELLED = replace(TRUTH, is_confirmed=False, tellable=None)


def now_is(**changes: object) -> Truth:
    return replace(TRUTH, tellable=replace(KNOWN, **changes))  # type: ignore[arg-type]


def instead(codes: dict[str, str]) -> Truth:
    """At door 7 she was given another code."""
    return replace(now_is(codes=codes), replaced=frozenset({"7"}))


REPLACED = replace(KNOWN, codes={"7": "xx", "8": "aa"})


@pytest.mark.parametrize(
    ("told", "truth", "message"),
    [
        pytest.param(None, TRUTH, Template.PIN_READY, id="nothing told yet"),
        pytest.param(FORGOTTEN, TRUTH, Template.PIN_READY, id="booked again after a cancellation"),
        pytest.param(None, replace(TRUTH, tellable=None), None, id="no lock accepted a PIN"),
        pytest.param(KNOWN, TRUTH, None, id="nothing new"),
        pytest.param(KNOWN, now_is(codes={"7": "bb", "8": "bb"}), Template.PIN_CHANGED, id="other digits"),
        pytest.param(KNOWN, now_is(codes={"7": "aa", "8": "bb"}), Template.PIN_CHANGED, id="other digits on one door"),
        pytest.param(KNOWN, now_is(codes={**KNOWN.codes, "9": "aa"}), Template.PIN_CHANGED, id="one more door"),
        pytest.param(KNOWN, now_is(codes={"7": "aa"}), None, id="one door less"),
        pytest.param(KNOWN, instead({"7": "xx", "8": "aa"}), Template.USE_INSTEAD, id="a replacement at one door"),
        pytest.param(KNOWN, instead({"7": "xx", "8": "bb"}), Template.PIN_CHANGED, id="a replacement and other digits"),
        pytest.param(None, instead({"7": "xx", "8": "aa"}), Template.PIN_READY, id="a replacement is all she is told"),
        pytest.param(REPLACED, instead({"7": "xx", "8": "aa"}), None, id="told of the replacement"),
        pytest.param(REPLACED, TRUTH, Template.PIN_CHANGED, id="the replacement was taken away"),
        pytest.param(KNOWN, now_is(unit=2), Template.PIN_CHANGED, id="another unit"),
        pytest.param(KNOWN, now_is(unit=2, ends_at=END + PATIENCE), Template.PIN_CHANGED, id="another unit and dates"),
        pytest.param(KNOWN, now_is(starts_at=START - PATIENCE), Template.WINDOW_CHANGED, id="earlier check-in"),
        pytest.param(KNOWN, now_is(ends_at=END + PATIENCE), Template.WINDOW_CHANGED, id="later check-out"),
        pytest.param(KNOWN, replace(TRUTH, tellable=None), None, id="new window not accepted yet"),
        pytest.param(KNOWN, CANCELLED, Template.STAY_CANCELLED, id="cancelled"),
        pytest.param(None, CANCELLED, None, id="cancelled, but never told a PIN"),
        pytest.param(FORGOTTEN, CANCELLED, None, id="cancelled, and told so"),
        pytest.param(KNOWN, replace(CANCELLED, is_over=True), None, id="cancelled after its end"),
        pytest.param(None, replace(TRUTH, is_over=True), None, id="over"),
        pytest.param(None, replace(TRUTH, is_active=False), None, id="unit out of use"),
    ],
)
def test_the_table(told: Knows | None, truth: Truth, message: Template | None) -> None:
    assert decide(told, truth) is message


def test_after_the_message_nothing_is_missing() -> None:
    for told, truth in [(None, TRUTH), (KNOWN, now_is(unit=2)), (KNOWN, CANCELLED)]:
        message = decide(told, truth)
        assert message is not None
        assert decide(knows_after(message, told, truth), truth) is None


@pytest.mark.parametrize(
    ("before_check_in", "proven", "wait"),
    [
        pytest.param(timedelta(hours=1), True, timedelta(0), id="proven: at once"),
        pytest.param(timedelta(hours=1), False, timedelta(minutes=30), id="a sleeping lock: half an hour before"),
        pytest.param(timedelta(minutes=5), False, BREATH, id="late: a breath for the lock, no more"),
        pytest.param(-timedelta(hours=1), False, BREATH, id="she is at the door"),
    ],
)
def test_when_it_is_told(before_check_in: timedelta, proven: bool, wait: timedelta) -> None:
    now = START - before_check_in
    truth = replace(TRUTH, all_proven=proven)
    assert due_at(Template.PIN_READY, truth, now=now, patience=PATIENCE) == now + wait


def test_a_replacement_waits_for_no_door() -> None:
    truth = replace(instead({"7": "xx", "8": "aa"}), all_proven=False)
    now = START - timedelta(hours=1)
    assert due_at(Template.USE_INSTEAD, truth, now=now, patience=PATIENCE) == now
    assert not must_wait_for_proof(Template.USE_INSTEAD, truth, now=now, patience=PATIENCE)


def test_a_cancellation_waits_for_nothing() -> None:
    now = START - timedelta(days=9)
    truth = replace(CANCELLED, all_proven=False)
    assert due_at(Template.STAY_CANCELLED, truth, now=now, patience=PATIENCE) == now
    assert not must_wait_for_proof(Template.STAY_CANCELLED, truth, now=now, patience=PATIENCE)


def test_what_she_knows_survives_the_database() -> None:
    assert Knows.from_json(KNOWN.as_json()) == KNOWN
