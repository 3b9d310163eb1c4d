"""What can be wrong with a booking or with the way to Stays.

ReservationError
├── BadReservation     the facts are impossible or incomplete: park them with this sentence
├── UnknownListing     no accommodation is mapped to this listing: park until somebody maps it
└── StaysError         the Stays API could not be read: try again later
    └── StaysRefused   it refused our credentials: a person must look at them
"""

from __future__ import annotations


class ReservationError(Exception):
    """Root; the message is a sentence for the operator: what, where, what to do."""


class BadReservation(ReservationError):
    """Impossible or incomplete facts."""


class UnknownListing(ReservationError):
    """No accommodation has this listing id."""

    def __init__(self, listing_id: str) -> None:
        self.listing_id = listing_id
        super().__init__(
            f"No accommodation is mapped to the Stays listing {listing_id or '(none given)'}: "
            "add it, or enter this id on the accommodation, then replay the event."
        )


class StaysError(ReservationError):
    """Stays did not give a usable answer."""


class StaysRefused(StaysError):
    """Stays refused the API credentials (STAYS_CLIENT_ID, STAYS_CLIENT_SECRET)."""
