"""Stays' reservation objects, whole, thin and odd, as facts; and never another exception than BadReservation."""

from __future__ import annotations

import json
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservations.errors import BadReservation
from reservations.facts import Guest, ReservationFacts
from reservations.stays.payloads import parse_deleted, parse_reservation, reservation_id

WHOLE: dict[str, Any] = {
    "_id": "69388e7b0000000000000001", "id": "EV23J", "creationDate": "2026-01-01",
    "checkInDate": "2026-03-06", "checkInTime": "15:00", "checkOutDate": "2026-03-09", "checkOutTime": "11:00",
    "_idlisting": "6908f6db0000000000000002", "_idclient": "69388e7a0000000000000003", "type": "booked",
    "price": {"currency": "BRL", "_f_total": 2523.0}, "guests": 3, "partnerCode": "HMXXXXXXXX",
    "guestsDetails": {"adults": 2, "list": [{"name": "Ana Teste", "primary": True}, {"name": "adult_1"}]},
    "reservationUrl": "https://acme.stays.example/x", "somethingNew": {"deep": [1]},
}  # fmt: skip


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in WHOLE.items() if name not in names}


def test_a_whole_reservation_becomes_facts_and_what_is_unknown_is_kept_apart() -> None:
    assert parse_reservation(WHOLE) == ReservationFacts(
        external_id="69388e7b0000000000000001",
        listing_id="6908f6db0000000000000002",
        status="booked",
        check_in_date=date(2026, 3, 6),
        check_out_date=date(2026, 3, 9),
        check_in_time=time(15),
        check_out_time=time(11),
        short_id="EV23J",
        partner_code="HMXXXXXXXX",
        guest=Guest(name="Ana Teste"),
        extra={"somethingNew": {"deep": [1]}},
    )


@pytest.mark.parametrize("odd", [{"x": "y" * 5000}, {"x": float("nan")}, {"price2": "\x00"}])
def test_odd_unknown_fields_do_no_harm(odd: dict[str, Any]) -> None:
    extra = parse_reservation({**WHOLE, **odd}).extra
    assert "\x00" not in repr(extra)
    json.dumps(extra, allow_nan=False)


@pytest.mark.parametrize("absent", [None, "", [], {}, "gone"])
@pytest.mark.parametrize(
    ("name", "fact", "empty"),
    [
        ("id", "short_id", ""), ("_idlisting", "listing_id", ""), ("partnerCode", "partner_code", ""),
        ("checkInTime", "check_in_time", None), ("checkOutTime", "check_out_time", None),
        ("guestsDetails", "guest", Guest()),
    ],
)  # fmt: skip
def test_what_is_not_needed_may_be_missing(name: str, fact: str, empty: object, absent: object) -> None:
    payload = without(name) if absent == "gone" else {**WHOLE, name: absent}
    assert getattr(parse_reservation(payload), fact) == empty


@pytest.mark.parametrize("absent", [None, "", [], {}, 0, False])
@pytest.mark.parametrize("name", ["checkInDate", "checkOutDate", "type"])
def test_what_is_needed_is_named_when_it_is_missing(name: str, absent: object) -> None:
    for payload in (without(name), {**WHOLE, name: absent}):
        with pytest.raises(BadReservation, match=name):
            parse_reservation(payload)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("checkInDate", "2026-02-30"), ("checkInDate", "06/03/2026"), ("checkInDate", "2026-3-6"),
        ("checkInDate", "20260306"), ("checkInDate", "2026-W10-5"), ("checkInDate", "2026-03-061"),
        ("checkInDate", 20260306), ("checkInDate", ["2026-03-06"]), ("checkInDate", {"date": "2026-03-06"}),
        ("checkInDate", True), ("checkInDate", 1.5), ("checkInDate", "٢٠٢٦-٠٣-٠٦"), ("checkOutDate", "soon"),
        ("checkInTime", "25:00"), ("checkInTime", "24:00"), ("checkInTime", "15:60"), ("checkInTime", "3 pm"),
        ("checkInTime", "15"), ("checkInTime", "1500"), ("checkInTime", "15:00:00.5"), ("checkInTime", "15:00Z"),
        ("checkInTime", 1500), ("checkInTime", ["15:00"]), ("checkInTime", True), ("checkInTime", "１５:００"),
        ("checkOutTime", "11:00:61"),
        ("type", "new"), ("type", "deleted"), ("type", "Booked!"), ("type", 7), ("type", ["booked"]),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_name_of_the_field(name: str, value: object) -> None:
    with pytest.raises(BadReservation, match=name):
        parse_reservation({**WHOLE, name: value})


def test_the_sentence_of_a_refusal_is_short_however_long_the_nonsense() -> None:
    for name in ("checkInDate", "checkInTime", "type"):
        with pytest.raises(BadReservation) as refusal:
            parse_reservation({**WHOLE, name: "x" * 100_000})
        assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("name", "value", "fact", "expected"),
    [
        ("checkInTime", "15:00:30", "check_in_time", time(15, 0, 30)),
        ("checkInTime", " 15:00 ", "check_in_time", time(15)),
        ("checkOutTime", "00:00", "check_out_time", time(0)),
        ("checkInDate", "2028-02-29", "check_in_date", date(2028, 2, 29)),
        ("checkInDate", "2026-03-06T00:00:00.000Z", "check_in_date", date(2026, 3, 6)),
        ("type", "cancelled", "status", "canceled"),
        ("type", "CANCELED", "status", "canceled"),
        ("type", "contract", "status", "contract"),
        ("_id", 42, "external_id", "42"),
        ("id", 42, "short_id", "42"),
        ("_idlisting", 7, "listing_id", "7"),
        ("id", "S" * 40, "short_id", "S" * 32),
        ("partnerCode", "P" * 100, "partner_code", "P" * 64),
        ("partnerCode", "HM\x00XX\ud800", "partner_code", "HM XX"),
    ],
)
def test_odd_but_clear_spellings_are_understood(name: str, value: object, fact: str, expected: object) -> None:
    assert getattr(parse_reservation({**WHOLE, name: value}), fact) == expected


def test_the_other_spelling_of_the_dates_and_times_is_read() -> None:
    thin = without("checkInDate", "checkOutDate", "checkInTime", "checkOutTime")
    other = {"checkinDate": "2026-03-07", "checkoutDate": "2026-03-10", "checkinTime": "16:00", "checkoutTime": "10:00"}
    facts = parse_reservation({**thin, **other})
    assert (facts.check_in_date, facts.check_out_date) == (date(2026, 3, 7), date(2026, 3, 10))
    assert (facts.check_in_time, facts.check_out_time) == (time(16), time(10))


def test_without_a_long_id_the_short_one_names_the_stay() -> None:
    assert parse_reservation(without("_id")).external_id == "EV23J"


@pytest.mark.parametrize(
    "value", ["", " ", None, True, [], {}, "..", ".", "a/b", "../clients/1", "a?b", "x" * 65, "%2e"]
)
def test_what_cannot_be_asked_for_is_no_id(value: object) -> None:
    payload = {**without("id"), "_id": value}
    assert reservation_id(payload) == ""
    with pytest.raises(BadReservation, match="_id"):
        parse_reservation(payload)
    with pytest.raises(BadReservation, match="_id"):
        parse_deleted({**payload, "from": "2026-03-06", "to": "2026-03-09"})


def test_a_deletion_has_a_shape_of_its_own() -> None:
    payload = {"_id": "69388e7b0000000000000001", "_idlisting": "L1", "from": "2026-03-06", "to": "2026-03-09"}
    assert parse_deleted(payload) == ReservationFacts(
        external_id="69388e7b0000000000000001",
        listing_id="L1",
        status="deleted",
        check_in_date=date(2026, 3, 6),
        check_out_date=date(2026, 3, 9),
    )


NAMES = [*WHOLE, "from", "to", "guestName", "checkinDate", "list", "name", "primary", "phones", "iso", "adr", "email"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=12)
    | st.sampled_from(["2026-03-06", "2026-03-09", "15:00", "booked", "canceled", "EV23J", "\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.dictionaries(st.sampled_from(NAMES), JSON))
def test_whatever_comes_it_is_facts_or_a_bad_reservation(payload: dict[str, Any], client: dict[str, Any]) -> None:
    sentences = []
    for body in (payload, {**WHOLE, **payload}):
        for parse in (lambda given: parse_reservation(given, client), parse_deleted):
            try:
                facts = parse(body)
            except BadReservation as refusal:
                sentences.append(str(refusal))
                continue
            assert_storable(facts)
    assert all(sentence.isprintable() for sentence in sentences)


def assert_storable(facts: ReservationFacts) -> None:
    """Within the columns, and without what PostgreSQL refuses in text."""
    texts = {
        facts.external_id: 64, facts.short_id: 32, facts.partner_code: 64, facts.guest.name: 200,
        facts.guest.email: 254, facts.guest.phone: 40, facts.guest.language: 10, facts.listing_id: 10**6,
    }  # fmt: skip
    for text, longest in texts.items():
        assert len(text) <= longest
        assert "\x00" not in text
        text.encode()
    json.dumps([facts.external_id, facts.status])
