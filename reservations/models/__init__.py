"""Facts as rows: units and stays (``stays``), and what is known of the sources they come from (``sources``)."""

from __future__ import annotations

from reservations.models.sources import Feed, FeedEntry, Listing, SourceState, SyncRun
from reservations.models.stays import Accommodation, Reservation, validate_zone

__all__ = [
    "Accommodation", "Feed", "FeedEntry", "Listing", "Reservation", "SourceState", "SyncRun", "validate_zone",
]  # fmt: skip
