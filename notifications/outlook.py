"""Reads from the database what ``decide`` needs to know, and what follows for one stay."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from locks.holders import stay_end
from locks.models import Credential, Fallback
from notifications.decide import Knows, Template, Truth, decide, knows_after
from notifications.models import Message
from reservations.models import Reservation


@dataclass(frozen=True)
class Outlook:
    """A stay as the telling sees it at one moment. ``template`` is the message that is missing, None when none is.

    ``held``: by lock, the replacement that the guest is to use there instead of her PIN.
    """

    reservation: Reservation
    credentials: list[Credential]
    told: Knows | None
    truth: Truth
    template: Template | None
    last: Message | None
    held: Mapping[int, Fallback] = field(default_factory=dict)

    @property
    def knows(self) -> Knows:
        """What the guest knows after the missing message."""
        assert self.template is not None
        return knows_after(self.template, self.told, self.truth)

    def is_about(self, message: Message | None) -> bool:
        """Whether this row is the same message to the same address."""
        return (
            message is not None
            and message.again_at is None
            and self.template is not None
            and (message.template, message.to) == (self.template.value, address(self.reservation))
            and message.knows == self.knows.as_json()
        )


def look(reservation: Reservation, *, now: datetime) -> Outlook:
    """Everything that bears on what this guest should be told now. A few reads, no writes."""
    return look_all([reservation], now=now)[0]


def look_all(reservations: Sequence[Reservation], *, now: datetime) -> list[Outlook]:
    """The same for some stays, in the same few reads, in the same order."""
    credentials: dict[int | None, list[Credential]] = defaultdict(list)
    wanted = Credential.objects.filter(reservation__in=reservations, wanted=True, removed_at__isnull=True)
    for credential in wanted.select_related("lock").order_by("lock__name", "pk"):
        credentials[credential.reservation_id].append(credential)
    messages: dict[int | None, list[Message]] = defaultdict(list)
    for message in Message.objects.filter(reservation__in=reservations).order_by("-id"):
        messages[message.reservation_id].append(message)
    return [
        see(stay, credentials[stay.pk], messages[stay.pk], replacements(stay, now), now=now) for stay in reservations
    ]


def see(
    reservation: Reservation, credentials: list[Credential], messages: list[Message], held: Mapping[int, Fallback], *,
    now: datetime,
) -> Outlook:  # fmt: skip
    """The same from what was read already: the wanted PINs that are not gone, the messages newest first, and what the
    guest holds instead.
    """
    told = last_told(reservation, messages)
    own = [credential for credential in credentials if credential.lock_id not in held]
    truth = _truth(reservation, own, held, told, now)
    last = messages[0] if messages else None
    return Outlook(reservation, credentials, told, truth, decide(told, truth), last, held)


def replacements(reservation: Reservation, now: datetime) -> dict[int, Fallback]:
    """The replacements that the guest holds at the doors of her unit. ``had_fallback`` spares the asking."""
    if not getattr(reservation, "had_fallback", True):
        return {}
    rows = reservation.fallbacks.exclude(kind="").select_related("credential", "lock")
    here = rows.filter(lock__accommodations=reservation.accommodation_id)
    return {row.lock_id: row for row in here if row.holds(now)}


def address(reservation: Reservation) -> str:
    """The guest's e-mail address, or nothing when there is no usable one."""
    try:
        validate_email(reservation.guest_email)
    except ValidationError:
        return ""
    return reservation.guest_email


def last_told(reservation: Reservation, messages: list[Message]) -> Knows | None:
    """What the guest was last told at her present address: somebody at a new address has been told nothing yet.

    For a cancelled stay a PIN that may have arrived counts as well: better one cancellation too many. A message that
    an operator wants said again counts as not said.
    """
    to = address(reservation).lower()
    last = next((one for one in messages if _counts(one, reservation) and (not to or one.to.lower() == to)), None)
    return Knows.from_json(last.knows) if last is not None else None


def _counts(message: Message, reservation: Reservation) -> bool:
    if message.again_at is not None:
        return False
    if message.state == Message.State.SENT:
        return True
    perhaps = message.state == Message.State.SENDING and message.template != Template.STAY_CANCELLED.value
    return perhaps and not reservation.is_confirmed()


def _truth(
    reservation: Reservation, own: list[Credential], held: Mapping[int, Fallback], told: Knows | None, now: datetime
) -> Truth:  # fmt: skip
    return Truth(
        is_confirmed=reservation.is_confirmed(),
        is_active=reservation.accommodation.active,
        is_over=stay_end(reservation) <= now,
        check_in_at=reservation.check_in_at,
        tellable=_tellable(reservation, own, held, told),
        all_proven=bool(own or held) and all(is_proven(c) for c in own),
        replaced=frozenset(str(lock_id) for lock_id in held),
    )


def _tellable(
    reservation: Reservation, own: list[Credential], held: Mapping[int, Fallback], told: Knows | None
) -> Knows | None:  # fmt: skip
    """The PINs that some lock has accepted for the present window, those the guest knows already, and replacements.

    A PIN stands for all doors that carry its digits, although one of them may be slower.
    """
    accepted = {c.pin_fingerprint for c in own if c.provider_ref and c.asked == c.wish}
    if not accepted and not held:
        return None
    known = set(told.codes.values()) if told is not None and told.unit == reservation.accommodation_id else set()
    return Knows(
        unit=reservation.accommodation_id, starts_at=reservation.check_in_at, ends_at=reservation.check_out_at,
        codes={str(c.lock_id): c.pin_fingerprint for c in own if c.pin_fingerprint in accepted | known}
        | {str(lock_id): given.fingerprint for lock_id, given in held.items()},
    )  # fmt: skip


def is_proven(credential: Credential) -> bool:
    """Whether the lock was seen to hold it with the window that is wanted now."""
    return credential.state == Credential.State.ON_LOCK and credential.asked == credential.wish


def patience() -> timedelta:
    return timedelta(minutes=settings.TELL_UNPROVEN_MINUTES)
