"""What the bookings tell the rooms above, beside Django's ``post_save``. Sent inside the saving transaction."""

from __future__ import annotations

from django.dispatch import Signal

# Two confirmed stays share a unit and some time. Arguments: reservation (Reservation), others (list[Reservation]).
stays_overlap = Signal()

# A stay is in a listing that no unit is mapped to; a stay we know has lost its right to a PIN by that.
# Arguments: listing_id (str), reservation (Reservation | None).
listing_unknown = Signal()

# Listings have found their unit: what waited for that may go on. Arguments: listing_ids (list[str]), actor (str).
listings_mapped = Signal()

# A feed no longer shows a stay that has begun: nobody is put out for that, a person decides.
# Arguments: reservation (Reservation).
stay_vanished = Signal()

# Nothing was heard of a source for too long, or it is back. Arguments: name (str), label (str), hours (float).
source_silent = Signal()
source_back = Signal()

# The data of guests who left long ago are being erased: erase yours. Receivers return how many rows they erased.
# Arguments: reservations (list[Reservation], with their names still in place), before (datetime), now (datetime).
guests_erased = Signal()
