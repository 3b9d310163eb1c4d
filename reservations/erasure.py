"""Guests are forgotten: N days after check-out their names, contacts and messages go, and what was done stays true.

Other rooms hear ``guests_erased`` and erase what they hold; the audit trail never held any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from reservations.models import Reservation
from reservations.signals import guests_erased
from smartlock.audit.services import record

ERASED = "–"
PORTION = 100  # stays of one transaction
GONE = {"guest_name": "", "guest_email": "", "guest_phone": "", "guest_language": "", "extra": {}}


@dataclass
class Erased:
    """How many stays were cleared of their guest, and how many rows of each other room."""

    stays: int = 0
    elsewhere: dict[str, int] = field(default_factory=dict)


def due(*, now: datetime, days: int | None = None) -> QuerySet[Reservation]:
    """Stays that are over for so long that nobody needs to know who stayed."""
    before = now - timedelta(days=settings.GUEST_KEEP_DAYS if days is None else days)
    return Reservation.objects.filter(check_out_at__lt=before, guest_erased_at__isnull=True)


def words_of(stay: Reservation) -> list[str]:
    """By what a guest is recognised in a text; what is shorter than three letters would be found everywhere."""
    return [word for word in (stay.guest_name, stay.guest_email, stay.guest_phone) if len(word) > 2]


def erase_guests(*, now: datetime, actor: str = "system", days: int | None = None) -> Erased:
    """Erase in portions, each in a transaction of its own: cut off, the next run goes on where this one was."""
    erased = Erased()
    before = now - timedelta(days=settings.GUEST_KEEP_DAYS if days is None else days)
    while True:
        with transaction.atomic():
            stays = list(due(now=now, days=days).select_for_update(of=("self",)).order_by("pk")[:PORTION])
            _add(erased, guests_erased.send(Reservation, reservations=stays, before=before, now=now))
            # Not saved one by one: nothing that doors or messages depend on has changed.
            Reservation.objects.filter(pk__in=[stay.pk for stay in stays]).update(**GONE, guest_erased_at=now)
            for stay in stays:
                record("guest.erased", stay.subject, actor=actor)
        erased.stays += len(stays)
        if len(stays) < PORTION:
            return erased


def _add(erased: Erased, answers: Sequence[tuple[object, object]]) -> None:
    for receiver, count in answers:
        room = str(getattr(receiver, "__module__", "")).partition(".")[0]
        erased.elsewhere[room] = erased.elsewhere.get(room, 0) + (count if isinstance(count, int) else 0)
