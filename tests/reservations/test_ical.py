"""A feed's bytes as stays and blocks; whatever else they are, a FeedError and never another exception."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reservations import ical
from reservations.errors import FeedError

HEAD = "BEGIN:VCALENDAR\r\nPRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN\r\nVERSION:2.0\r\n"
TAIL = "END:VCALENDAR\r\n"


def event(
    uid: str = "a@airbnb.com", first: str = "20260306", last: str = "20260309", summary: str = "Reserved",
    code: str = "HMABCDEFGH", more: str = "",
) -> str:  # fmt: skip
    lines = ["BEGIN:VEVENT", f"DTEND;VALUE=DATE:{last}", f"DTSTART;VALUE=DATE:{first}", f"UID:{uid}"]
    if code:
        lines += [
            f"DESCRIPTION:Reservation URL: https://www.airbnb.com/hosting/reservations/details/{code[:4]}",
            f" {code[4:]}\\nPhone Number (Last 4 Digits): 1234",
        ]  # folded, as Airbnb does
    lines += [f"SUMMARY:{summary}", *([more] if more else []), "END:VEVENT"]
    return "\r\n".join(lines) + "\r\n"


def feed(*events: str) -> bytes:
    return (HEAD + "".join(events) + TAIL).encode()


def test_a_reserved_event_is_a_stay_up_to_its_exclusive_end_with_the_unfolded_code() -> None:
    reading = ical.read(feed(event()))
    assert reading.whole
    assert reading.entries == (ical.Entry("a@airbnb.com", "booked", date(2026, 3, 6), date(2026, 3, 9), "HMABCDEFGH"),)


@pytest.mark.parametrize(
    ("summary", "status"),
    [("Reserved", "booked"), ("Reserved - Ana", "booked"), ("Airbnb (Not available)", "blocked"),
     ("CLOSED - Not available", "blocked"), ("", "blocked"), ("Not reserved", "blocked")],
)  # fmt: skip
def test_only_reserved_is_a_stay(summary: str, status: str) -> None:
    assert ical.read(feed(event(summary=summary))).entries[0].status == status


def test_a_cancelled_event_says_so() -> None:
    assert ical.read(feed(event(more="STATUS:CANCELLED"))).entries[0].status == "canceled"


@pytest.mark.parametrize(
    "end", ["DURATION:P3D", "DTEND:20260309T110000Z", "DTEND;TZID=America/Sao_Paulo:20260309T110000"]
)
def test_the_end_may_be_written_in_other_ways(end: str) -> None:
    text = event().replace("DTEND;VALUE=DATE:20260309", end)
    assert ical.read(feed(text)).entries[0].last == date(2026, 3, 9)


def test_an_event_without_an_end_is_one_night() -> None:
    text = event().replace("DTEND;VALUE=DATE:20260309\r\n", "")
    assert ical.read(feed(text)).entries[0].last == date(2026, 3, 7)


def test_an_empty_calendar_proves_nothing() -> None:
    reading = ical.read(feed())
    assert (reading.entries, reading.whole) == ((), False)


@pytest.mark.parametrize(
    "odd",
    [
        event(uid=""), event(last="20260306"), event(last="20260301"), event(first="never"), event(last="20290101"),
        event(first="00010101"), "BEGIN:VEVENT\r\nEND:VEVENT\r\n", event().replace("DTSTART", "DTSTARTX"),
    ],
)  # fmt: skip
def test_an_odd_event_hides_no_other_but_the_feed_is_not_whole(odd: str) -> None:
    reading = ical.read(feed(odd, event(uid="good")))
    assert [entry.uid for entry in reading.entries] == ["good"]
    assert not reading.whole


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>log in</html>", b"{}", b"BEGIN:VCALENDAR", feed(event())[:-20], feed(event())[:150], b"\xff\xfe",
     b"BEGIN:VCARD\r\nEND:VCARD\r\n"],
)  # fmt: skip
def test_what_is_no_calendar_or_only_its_beginning_is_refused(body: bytes) -> None:
    with pytest.raises(FeedError):
        ical.read(body)


def test_every_cut_of_a_feed_is_refused_or_the_same() -> None:
    whole = feed(event(), event(uid="b", code=""))
    for length in range(len(whole.rstrip())):
        with pytest.raises(FeedError):
            ical.read(whole[:length])


@settings(max_examples=150, deadline=None)
@given(noise=st.binary(max_size=40), at=st.integers(0, 400), gone=st.integers(0, 40))
def test_noise_is_survived(noise: bytes, at: int, gone: int) -> None:
    whole = feed(event(), event(uid="b", code=""))
    try:
        ical.read(whole[:at] + noise + whole[at + gone :])
    except FeedError:
        return
