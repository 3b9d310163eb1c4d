"""Notices about the sources of bookings, and the part of forgetting guests that lies in this room."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from notifications import details, notices
from notifications.models import Message, Notice
from reservations.erasure import ERASED, words_of
from reservations.models import Reservation
from reservations.signals import guests_erased, listing_unknown, source_back, source_silent, stay_vanished
from scheduler import clock


@receiver(source_silent)
def silence(name: str, label: str, hours: float, **_: Any) -> None:
    notices.write(
        "source_silent", subject=f"source:{name}"[:64], about=label, detail=details.of_silence(hours),
        now=clock.now(),
    )  # fmt: skip


@receiver(source_back)
def back(name: str, **_: Any) -> None:
    """What is over needs nobody any more."""
    unseen = Notice.objects.filter(code="source_silent", subject=f"source:{name}"[:64], seen_at__isnull=True)
    unseen.update(seen_at=clock.now())


@receiver(listing_unknown)
def unmapped(listing_id: str, reservation: Reservation | None, **_: Any) -> None:
    """One notice per listing, however many bookings it gets."""
    about = f"{notices.describe(reservation)} → {listing_id}" if reservation else listing_id or "?"
    notices.write("listing_unknown", subject=f"listing:{listing_id}"[:64], about=about, detail="", now=clock.now())


@receiver(stay_vanished)
def vanished(reservation: Reservation, **_: Any) -> None:
    notices.about_stay("stay_vanished", reservation, detail="", now=clock.now())


@receiver(guests_erased)
def forget(reservations: list[Reservation], now: datetime, **_: Any) -> int:
    """Addresses go; that and when a message went out stays. A guest's name goes from the notices it stands in."""
    mine = Message.objects.filter(reservation__in=reservations).exclude(to="").exclude(to=ERASED)
    erased = mine.update(to=ERASED, error="")
    for stay in reservations:
        for word in words_of(stay):
            for notice in Notice.objects.filter(text__contains=word) | Notice.objects.filter(title__contains=word):
                notice.text, notice.title = notice.text.replace(word, ERASED), notice.title.replace(word, ERASED)
                notice.save(update_fields=["text", "title"])
                erased += 1
    return erased
