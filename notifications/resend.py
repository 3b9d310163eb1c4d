"""An operator has a guest told once more what is so now: she lost the letter, or it went to the wrong folder."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from notifications.models import Message
from notifications.planning import live_key, plan_telling
from reservations.models import Reservation
from scheduler.models import Job
from smartlock.audit.services import record


@transaction.atomic
def resend(reservation_id: int, *, now: datetime, actor: str) -> bool:
    """Take back that she was told; the plan then tells her what is true. Returns whether there is something to tell.

    Nothing is sent for a stay that is over, or whose PIN no door has taken.
    """
    reservation = Reservation.objects.select_for_update(of=("self",), no_key=True).get(pk=reservation_id)
    Message.objects.filter(reservation=reservation, again_at__isnull=True).update(again_at=now)
    record("guest.tell_again", reservation.subject, actor=actor)
    plan_telling(reservation_id, now=now)
    return Job.objects.filter(live_key=live_key(reservation_id), state__in=Job.LIVE).exists()
