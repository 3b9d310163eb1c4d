"""The recurring jobs of a room that may not know the scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext_lazy as _

from reservations import tasks
from reservations.sync import Tell
from scheduler.recurring.categories import BUSINESS, MAINTENANCE
from scheduler.recurring.targets import Call, recurring


@recurring(
    "sync-reservations", title=_("Read near stays from Stays"), category=BUSINESS, every=900,
    formerly="reservations.sync",
)  # fmt: skip
def sync_reservations(call: Call) -> None:
    with telling(call) as on_progress:
        tasks.sync_near_stays(on_progress)


@recurring(
    "sync-ahead", title=_("Read ninety days of stays from Stays"), category=BUSINESS, at="03:20", timeout=3 * 3600,
    formerly="reservations.sync_ahead",
)  # fmt: skip
def sync_ahead(call: Call) -> None:
    with telling(call) as on_progress:
        tasks.sync_stays_ahead(on_progress)


@recurring(
    "sync-listings", title=_("Read the listings from Stays"), category=BUSINESS, at="05:10",
    formerly="reservations.sync_listings",
)  # fmt: skip
def sync_listings(call: Call) -> None:
    tasks.sync_listings()


@recurring(
    "read-feeds", title=_("Read the iCal feeds"), category=BUSINESS, every=1800, formerly="reservations.read_feeds"
)
def read_feeds(call: Call) -> None:
    tasks.read_feeds()


@recurring(
    "erase-guests", title=_("Forget guests who left long ago"), category=MAINTENANCE, at="04:40",
    formerly="reservations.erase_guests",
)  # fmt: skip
def erase_guests(call: Call) -> None:
    tasks.erase_guests()


@contextmanager
def telling(call: Call) -> Iterator[Tell]:
    """How far a walk over the stays is, on the row of its job: in numbers, as no guest's name has a place there."""
    with call.run.progress() as progress:
        yield lambda done, total, _name: progress.tell(100 * done // total if total else 100, f"{done} / {total}")
