"""Pure: the bytes of an iCal feed (Airbnb's, or one like it) to stays and blocks.

Airbnb: whole days, DTEND is the check-out day, ``SUMMARY:Reserved`` is a stay and anything else ("Airbnb (Not
available)", "CLOSED - Not available") a block; the HM code stands at the end of the address in DESCRIPTION. No name,
no times, only what is to come; a cancellation is an event that is no longer there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from icalendar import Calendar, Component

from reservations.errors import FeedError
from reservations.models import Reservation

_CODE = re.compile(r"/details/([A-Z0-9]{6,20})\b")
_BEGIN, _END = re.compile(rb"^BEGIN:VEVENT\s*$", re.M | re.I), re.compile(rb"END:VCALENDAR\s*\Z", re.I)
MOST_EVENTS = 2000
LONGEST = timedelta(days=400)


@dataclass(frozen=True)
class Entry:
    """One event: ``first`` is the check-in day, ``last`` the check-out day."""

    uid: str
    status: str
    first: date
    last: date
    code: str = ""

    @property
    def is_stay(self) -> bool:
        return self.status == Reservation.Status.BOOKED


@dataclass(frozen=True)
class Reading:
    """What a feed says. Only a ``whole`` one proves by silence that a stay is gone."""

    entries: tuple[Entry, ...]
    problems: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """All of it was understood, and it holds anything at all: an empty feed is a feed that is not well."""
        return bool(self.entries) and not self.problems


def read(body: bytes) -> Reading:
    """Raises FeedError for what is no calendar, or the beginning of one."""
    if not body.lstrip(b"\xef\xbb\xbf \r\n\t").upper().startswith(b"BEGIN:VCALENDAR"):
        raise FeedError("The answer is not a calendar; nothing was changed.")
    if not _END.search(body):
        raise FeedError("The calendar is cut off before its end; nothing was changed.")
    try:
        calendar = Calendar.from_ical(body)
        events = calendar.walk("VEVENT")
    except Exception as error:  # the library raises whatever its parts do
        raise FeedError(f"The calendar cannot be read ({type(error).__name__}); nothing was changed.") from None
    if len(events) > MOST_EVENTS:
        raise FeedError(f"The calendar has more than {MOST_EVENTS} events; nothing was changed.")
    entries: dict[str, Entry] = {}
    problems = [] if len(events) == len(_BEGIN.findall(body)) else ["Some events cannot be read."]
    for event in events:
        try:
            entry = _entry(event)
        except Exception as error:  # a single odd event must not hide the others
            problems.append(f"An event cannot be read ({error if isinstance(error, FeedError) else 'odd'}).")
        else:
            entries[entry.uid] = entry
    return Reading(tuple(entries.values()), tuple(problems))


def _entry(event: Component) -> Entry:
    uid = _text(event, "UID")[:255]
    if not uid:
        raise FeedError("no UID")
    first = _day(event, "DTSTART")
    if event.get("DTEND") is not None:
        last = _day(event, "DTEND")
    elif event.get("DURATION") is not None:
        last = first + event.decoded("DURATION")
    else:
        last = first + timedelta(days=1)  # RFC 5545: an event of whole days without an end lasts one
    if not timedelta(0) < last - first <= LONGEST:
        raise FeedError("its end is not after its start")
    code = _CODE.search(f"{_text(event, 'DESCRIPTION')}\n{_text(event, 'URL')}")
    return Entry(uid, _status(event), first, last, code[1] if code else "")


def _status(event: Component) -> str:
    if _text(event, "STATUS").upper() == "CANCELLED":
        return Reservation.Status.CANCELED.value
    stay = _text(event, "SUMMARY").lower().startswith("reserved")
    return Reservation.Status.BOOKED.value if stay else Reservation.Status.BLOCKED.value


def _day(event: Component, name: str) -> date:
    value = event.decoded(name)
    if isinstance(value, datetime):
        return value.date()  # the wall clock as it was written, whatever its zone
    if not isinstance(value, date):
        raise FeedError(f"{name} is not a date")
    return value


def _text(event: Component, name: str) -> str:
    value: Any = event.get(name)
    return str(value if value is not None else "").replace("\0", "").strip()
