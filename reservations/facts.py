"""What any source says about a stay, as plain values: the one shape that ``services.save_facts`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time


@dataclass(frozen=True)
class Guest:
    """Only what is needed to reach the guest. ``language`` is a tag such as pt-BR."""

    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""


@dataclass(frozen=True)
class ReservationFacts:
    """A stay as its source tells it: local dates and times without a zone. A time of None means the unit's default."""

    external_id: str
    listing_id: str
    status: str
    check_in_date: date
    check_out_date: date
    check_in_time: time | None = None
    check_out_time: time | None = None
    short_id: str = ""
    partner_code: str = ""
    guest: Guest = Guest()
