"""What any source says about a stay, as plain values: the one shape that ``services.save_facts`` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any


@dataclass(frozen=True)
class Guest:
    """Only what is needed to reach the guest. ``language`` is a tag such as pt-BR."""

    name: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""


@dataclass(frozen=True)
class ReservationFacts:
    """A stay as its source tells it: local dates and times without a zone. A time of None means the unit's default.

    ``extra`` is what the source said that no part of ours knows: kept as it is, and never acted on.
    """

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
    unit_id: int | None = None  # our own unit, from a source that belongs to one
    extra: Mapping[str, Any] = field(default_factory=dict)
