"""What the bookings tell the rooms above, beside Django's ``post_save``. Sent inside the saving transaction."""

from __future__ import annotations

from django.dispatch import Signal

# Two confirmed stays share a unit and some time. Arguments: reservation (Reservation), others (list[Reservation]).
stays_overlap = Signal()
