"""The bytes of a delivery: what it is about, when it happened, and when it is the same as another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.deliveries import STAY, body, stay
from webhooks.envelope import Malformed, Treatment, parse


def key(action: str = "reservation.modified", payload: object = None, at: object = "2026-03-05T12:00:00.000Z") -> str:
    return parse(json.dumps({"action": action, "_dt": at, "payload": payload}).encode()).dedupe_key


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"null", b"[]", b"7", b'"reservation.created"', b"{", b"\xff\xfe\xfd", b'{"action": "\xe9"}',
        b"{}", b'{"action": null}', b'{"action": ""}', b'{"action": "  "}', b'{"action": ["reservation.created"]}',
        b'{"action": {"a": 1}}', b'{"action": 7}', b"[" * 200_000, b'{"a":' * 50_000,
        b'{"action": "reservation.created", "n": ' + b"9" * 5000 + b"}",
        json.dumps({"action": "a" * 65}).encode(),
        b'{"action": "reservation.created\\u0000"}', b'{"action": "\\ud800"}', b'{"action": "reservation created"}',
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_malformed(content: bytes) -> None:
    with pytest.raises(Malformed):
        parse(content)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-07-03T15:07:02.577Z", datetime(2024, 7, 3, 15, 7, 2, 577000, tzinfo=UTC)),
        ("2024-07-03T15:07:02.577", datetime(2024, 7, 3, 15, 7, 2, 577000, tzinfo=UTC)),
        ("2024-07-03T15:07:02-03:00", datetime(2024, 7, 3, 18, 7, 2, tzinfo=UTC)),
        ("soon", None), ("", None), (None, None), (1720019222577, None), (["2024-07-03"], None), (True, None),
        ("2024-02-30T00:00:00Z", None), ("0001-01-01T00:00:00+14:00", None), ("9999-12-31T23:59:59-14:00", None),
        ("0001-01-01T00:00:00Z", None),
    ],
)  # fmt: skip
def test_the_time_is_aware_utc_or_not_given(written: object, expected: datetime | None) -> None:
    content = json.dumps({"action": "reservation.created", "_dt": written, "payload": stay()}).encode()
    assert parse(content).occurred_at == expected


def test_the_same_action_time_and_stay_is_the_same_event() -> None:
    assert key(payload=stay()) == key(payload=stay(type="canceled", more="fields"))


def test_another_action_time_or_stay_is_another_event() -> None:
    others = [
        key("reservation.created", stay()), key(payload=stay(), at="2026-03-05T12:00:00.001Z"),
        key(payload=stay(_id="another")), key(payload={"id": "EV23J"}),
    ]  # fmt: skip
    assert len({key(payload=stay()), *others}) == 5


@pytest.mark.parametrize(
    "same", [{"action": "a.b", "payload": stay()}, {"action": "a.b", "_dt": "x", "payload": []}, {"action": "a.b"}]
)
def test_without_a_time_or_an_id_the_bytes_decide(same: dict[str, Any]) -> None:
    content = json.dumps(same).encode()
    assert parse(content).dedupe_key == parse(content).dedupe_key
    assert parse(content).dedupe_key != parse(content + b" ").dedupe_key


def test_of_a_key_that_comes_twice_the_last_one_counts() -> None:
    content = b'{"action": "a.b", "action": "reservation.created", "payload": {"_id": "x", "_id": "y"}}'
    envelope = parse(content)
    assert (envelope.action, envelope.external_id) == ("reservation.created", "y")


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (stay(), STAY), ({"id": "EV23J", "_idlisting": "L1"}, "EV23J"), ({"_id": 42}, "42"), ([stay()], ""),
        ({}, ""), (None, ""), ("x", ""), ({"_id": None, "id": []}, ""), ({"_id": "a\x00b"}, ""), ({"_id": "../x"}, ""),
        ({"_id": "x" * 65}, ""), ({"_id": "\ud800EV23J"}, "EV23J"),
    ],
)  # fmt: skip
def test_the_stay_it_points_to_is_an_id_that_can_be_asked_for(payload: object, expected: str) -> None:
    assert parse(body("reservation.modified", payload)).external_id == expected


@pytest.mark.parametrize("verb", ["created", "modified", "reactivated", "canceled", "cancelled", "deleted"])
def test_what_happens_to_a_stay_may_concern_a_door(verb: str) -> None:
    envelope = parse(body(f" reservation.{verb} ", stay()))
    assert (envelope.treatment, envelope.action) == (Treatment.ACTS, f"reservation.{verb}")


@pytest.mark.parametrize(
    "action",
    ["reservation.payments.created", "reservation.payments.deleted", "calendar.rates.modified", "message.added",
     "client.created", "listing.modified", "listing-rates-sell.modified", "reservations.created"],
)  # fmt: skip
def test_payments_messages_and_prices_are_of_no_concern(action: str) -> None:
    assert parse(body(action, stay())).treatment == Treatment.DROPPED


def test_an_action_about_a_stay_that_nobody_knows_wants_a_person() -> None:
    assert parse(body("reservation.teleported", stay())).treatment == Treatment.PARKED


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_an_envelope_or_malformed(content: bytes) -> None:
    try:
        envelope = parse(content)
    except Malformed:
        return
    assert len(envelope.dedupe_key) == 64


def test_an_action_in_capitals_is_the_same_action() -> None:
    assert parse(b'{"action": "Reservation.MODIFIED", "payload": {"_id": "A"}}').treatment is Treatment.ACTS
