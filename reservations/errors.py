"""What can be wrong with a booking or with the way to Stays.

ReservationError
├── BadReservation     the facts are impossible or incomplete: park them with this sentence
├── UnknownListing     no accommodation is mapped to this listing: park until somebody maps it
├── StaysError         the Stays API could not be read: try again later (after ``retry_after``, if it said so)
│   ├── StaysRefused   it refused our credentials: a person must look at them
│   └── GuestUnread    the stay was read and saved, its guest's contacts were not
└── FeedError          an iCal feed could not be read, or is not to be trusted: try again later
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reservations.services import Saved


class ReservationError(Exception):
    """Root; the message is a sentence for the operator: what, where, what to do."""


class BadReservation(ReservationError):
    """Impossible or incomplete facts. English where it is kept; a page translates ``text`` and fills in ``values``."""

    def __init__(self, text: str, **values: object) -> None:
        self.text, self.values = text, values
        super().__init__(text % values if values else text)


class UnknownListing(ReservationError):
    """No accommodation has this listing id."""

    def __init__(self, listing_id: str) -> None:
        self.listing_id = listing_id
        super().__init__(
            f"No accommodation is mapped to the Stays listing {listing_id or '(none given)'}: "
            "add it, or enter this id on the accommodation; what waits for it then goes through."
        )


class StaysError(ReservationError):
    """Stays did not give a usable answer. ``retry_after``: how many seconds it asked us to stay away."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class StaysRefused(StaysError):
    """Stays refused the API credentials (STAYS_CLIENT_ID, STAYS_CLIENT_SECRET)."""


class GuestUnread(StaysError):
    """The stay is ``saved``; only the client object with the guest's contacts could not be read."""

    def __init__(self, message: str, saved: Saved, *, retry_after: float | None = None) -> None:
        self.saved = saved
        super().__init__(message, retry_after=retry_after)


class FeedError(ReservationError):
    """An iCal feed that cannot be fetched, is too large, or is not what it should be. Never holds the address."""
