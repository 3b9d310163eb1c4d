"""An operator has a guest told once more what is so now: she lost the letter, or it went to the wrong folder."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from notifications.models import Message
from notifications.planning import plan_telling
from reservations.models import Reservation
from smartlock.audit.services import record


@transaction.atomic
def resend(reservation_id: int, *, now: datetime, actor: str) -> int:
    """Take back that she was told; the plan then tells her what is true. Returns how many messages were taken back.

    Nothing is sent for a stay that is over, or whose PIN no door has taken.
    """
    reservation = Reservation.objects.select_for_update().get(pk=reservation_id)
    taken_back = Message.objects.filter(reservation=reservation, again_at__isnull=True).update(again_at=now)
    if taken_back:
        record("guest.tell_again", reservation.subject, actor=actor)
        plan_telling(reservation_id, now=now)
    return taken_back
