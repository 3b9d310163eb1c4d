"""Reads from the database what ``decide`` needs to know, and what follows for one stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from locks.holders import stay_end
from locks.models import Credential
from notifications.decide import Knows, Template, Truth, decide, knows_after
from notifications.models import Message
from reservations.models import Reservation


@dataclass(frozen=True)
class Outlook:
    """A stay as the telling sees it at one moment. ``template`` is the message that is missing, None when none is."""

    reservation: Reservation
    credentials: list[Credential]
    told: Knows | None
    truth: Truth
    template: Template | None
    last: Message | None

    @property
    def knows(self) -> Knows:
        """What the guest knows after the missing message."""
        assert self.template is not None
        return knows_after(self.template, self.told, self.truth)

    def is_about(self, message: Message | None) -> bool:
        """Whether this row is the same message to the same address."""
        return (
            message is not None
            and self.template is not None
            and (message.template, message.to) == (self.template.value, address(self.reservation))
            and message.knows == self.knows.as_json()
        )


def look(reservation: Reservation, *, now: datetime) -> Outlook:
    """Everything that bears on what this guest should be told now. A few reads, no writes."""
    credentials = list(
        Credential.objects.filter(reservation=reservation, wanted=True, removed_at__isnull=True)
        .select_related("lock")
        .order_by("lock__name", "pk")
    )
    last = Message.objects.filter(reservation=reservation).order_by("-id").first()
    told = last_told(reservation) if last is not None else None
    truth = _truth(reservation, credentials, told, now)
    return Outlook(reservation, credentials, told, truth, decide(told, truth), last)


def address(reservation: Reservation) -> str:
    """The guest's e-mail address, or nothing when there is no usable one."""
    try:
        validate_email(reservation.guest_email)
    except ValidationError:
        return ""
    return reservation.guest_email


def last_told(reservation: Reservation) -> Knows | None:
    """What the guest was last told at her present address: somebody at a new address has been told nothing yet.

    For a cancelled stay a PIN that may have arrived counts as well: better one cancellation too many.
    """
    messages = Message.objects.filter(reservation=reservation, state=Message.State.SENT)
    if not reservation.is_confirmed():
        perhaps = Message.objects.filter(reservation=reservation, state=Message.State.SENDING)
        messages |= perhaps.exclude(template=Template.STAY_CANCELLED.value)
    if to := address(reservation):
        messages = messages.filter(to__iexact=to)
    last = messages.order_by("-id").first()
    return Knows.from_json(last.knows) if last is not None else None


def _truth(reservation: Reservation, credentials: list[Credential], told: Knows | None, now: datetime) -> Truth:
    return Truth(
        is_confirmed=reservation.is_confirmed(),
        is_active=reservation.accommodation.active,
        is_over=stay_end(reservation) <= now,
        check_in_at=reservation.check_in_at,
        tellable=_tellable(reservation, credentials, told),
        all_proven=bool(credentials) and all(is_proven(c) for c in credentials),
    )


def _tellable(reservation: Reservation, credentials: list[Credential], told: Knows | None) -> Knows | None:
    """The PINs that some lock has accepted for the present window, and those the guest knows already.

    A PIN stands for all doors that carry its digits, although one of them may be slower.
    """
    accepted = {c.pin_fingerprint for c in credentials if c.provider_ref and c.asked == c.wish}
    if not accepted:
        return None
    known = set(told.codes.values()) if told is not None and told.unit == reservation.accommodation_id else set()
    return Knows(
        unit=reservation.accommodation_id, starts_at=reservation.check_in_at, ends_at=reservation.check_out_at,
        codes={str(c.lock_id): c.pin_fingerprint for c in credentials if c.pin_fingerprint in accepted | known},
    )  # fmt: skip


def is_proven(credential: Credential) -> bool:
    """Whether the lock was seen to hold it with the window that is wanted now."""
    return credential.state == Credential.State.ON_LOCK and credential.asked == credential.wish


def patience() -> timedelta:
    return timedelta(minutes=settings.TELL_UNPROVEN_MINUTES)
