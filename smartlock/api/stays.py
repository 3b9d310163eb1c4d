"""What a caller sees of a stay, its doors and its PINs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from ninja import Schema
from pydantic import Field

from locks.models import Credential, Lock, Withdrawal, total_exposure
from locks.troubles import troubles_of
from reservations.models import Reservation
from smartlock.api.shapes import CredentialState, StaySource, StayStatus


class Guest(Schema):
    name: str
    email: str
    phone: str
    language: str


class UnitName(Schema):
    id: int
    name: str


class LockName(Schema):
    id: int
    name: str


class StayRow(Schema):
    """``…_at`` are instants in UTC, ``…_local`` the same by the clock of the property."""

    id: int
    source: StaySource
    external_id: str
    short_id: str
    partner_code: str
    status: StayStatus
    accommodation: UnitName
    timezone: str
    check_in_at: datetime
    check_out_at: datetime
    check_in_local: str
    check_out_local: str
    guest: Guest
    facts_at: datetime
    created_at: datetime
    updated_at: datetime


class Wish(Schema):
    """What is wanted."""

    wanted: bool
    starts_at: datetime
    ends_at: datetime


class Asked(Schema):
    """What was sent to the lock last; asked for is not done."""

    at: datetime | None
    starts_at: datetime
    ends_at: datetime


class Span(Schema):
    starts_at: datetime
    ends_at: datetime


class PendingChange(Schema):
    """From which times to which others the lock has yet to go."""

    before: Span
    after: Span


class Observation(Schema):
    """What the lock was seen to hold, and when that was last proven."""

    state: CredentialState
    starts_at: datetime | None
    ends_at: datetime | None
    proven_at: datetime | None
    first_used_at: datetime | None
    removed_at: datetime | None


class Trouble(Schema):
    """Something that is wrong with a PIN, and what to do."""

    code: str
    level: str
    text: str
    remedy: str


class CredentialRow(Schema):
    """One PIN on one lock, without its digits: those are with the guest and on the door."""

    id: int
    name: str
    purpose: Literal["guest", "backup", "staff"]
    holder: Annotated[str, Field(description="whose it is: reservation:17, staff:3, or lock:5 for a backup")]
    reservation_id: int | None
    lock: LockName
    timezone: str | None
    wish: Wish
    asked: Asked | None
    observation: Observation
    pending_change: PendingChange | None
    is_proven: bool
    exposure_minutes: int
    last_error: str
    troubles: list[Trouble]


class Door(Schema):
    """A lock of the unit (or one that still holds a PIN of the stay), with the PIN on it."""

    lock: LockName
    opens_the_unit: bool
    online: bool | None
    battery_percent: int | None
    seen_at: datetime | None
    credential: CredentialRow | None


class Agreed(Schema):
    """Times that an operator agreed on for this stay, by the property's clock; null = as its source says."""

    check_in_time: str | None
    check_out_time: str | None
    by: str
    at: datetime | None


class WithdrawnBy(Schema):
    actor: str
    at: datetime


class Stay(StayRow):
    """A stay with its doors and what is proven of them."""

    grace_minutes: int
    agreed: Agreed | None
    withdrawn: WithdrawnBy | None
    doors: list[Door]
    proven_doors: int
    exposure_minutes: Annotated[int, Field(description="how long its PINs were on locks after their end, all together")]
    former_credentials: list[CredentialRow]


def local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()


def row(stay: Reservation) -> dict[str, Any]:
    unit = stay.accommodation
    zone = unit.zone
    return {
        **{name: getattr(stay, name) for name in (
            "id", "source", "external_id", "short_id", "partner_code", "status", "check_in_at", "check_out_at",
            "facts_at", "created_at", "updated_at",
        )},
        "accommodation": {"id": unit.pk, "name": unit.name},
        "timezone": unit.timezone,
        "check_in_local": local(stay.check_in_at, zone),
        "check_out_local": local(stay.check_out_at, zone),
        "guest": {
            "name": stay.guest_name, "email": stay.guest_email, "phone": stay.guest_phone,
            "language": stay.guest_language,
        },
    }  # fmt: skip


def detail(stay: Reservation, *, now: datetime) -> dict[str, Any]:
    """A fixed number of queries, however many doors there are."""
    known = Credential.objects.filter(reservation=stay).select_related("lock").order_by("-wanted", "-created_at", "-pk")
    credentials = list(known)
    on_door: dict[int, Credential] = {}
    for one in credentials:
        if not one.is_gone():
            on_door.setdefault(one.lock_id, one)
    locks = {lock.pk: lock for lock in Lock.objects.filter(accommodations=stay.accommodation_id)}
    of_unit = set(locks)
    locks |= {one.lock_id: one.lock for one in on_door.values()}
    doors = [_door(lock, on_door.get(pk), opens=pk in of_unit, stay=stay, now=now) for pk, lock in locks.items()]
    withdrawal = Withdrawal.objects.filter(reservation=stay).first()
    return {
        **row(stay),
        "grace_minutes": stay.accommodation.grace_minutes,
        "agreed": _agreed(stay),
        "withdrawn": {"actor": withdrawal.actor, "at": withdrawal.at} if withdrawal else None,
        "doors": doors,
        "proven_doors": sum(bool(door["credential"] and door["credential"]["is_proven"]) for door in doors),
        "exposure_minutes": round(total_exposure(credentials, now).total_seconds() / 60),
        "former_credentials": [
            credential(one, zone=stay.accommodation.timezone, now=now) for one in credentials
            if on_door.get(one.lock_id) != one
        ],
    }  # fmt: skip


def _agreed(stay: Reservation) -> dict[str, Any] | None:
    begins, ends = stay.agreed_check_in_time, stay.agreed_check_out_time
    if begins is None and ends is None:
        return None
    return {
        "check_in_time": begins and f"{begins:%H:%M}", "check_out_time": ends and f"{ends:%H:%M}",
        "by": stay.agreed_by, "at": stay.agreed_at,
    }  # fmt: skip


def _door(lock: Lock, held: Credential | None, *, opens: bool, stay: Reservation, now: datetime) -> dict[str, Any]:
    return {
        "lock": {"id": lock.pk, "name": lock.name}, "opens_the_unit": opens, "online": lock.online,
        "battery_percent": lock.battery_percent, "seen_at": lock.seen_at,
        "credential": None if held is None else credential(held, zone=stay.accommodation.timezone, now=now),
    }  # fmt: skip


def credential(one: Credential, *, zone: str | None, now: datetime) -> dict[str, Any]:
    proven, asked, change = one.proven, one.asked, one.pending_change
    return {
        "id": one.pk, "name": one.name, "purpose": one.purpose, "holder": one.subject,
        "reservation_id": one.reservation_id,
        "lock": {"id": one.lock_id, "name": one.lock.name}, "timezone": zone,
        "wish": {"wanted": one.wanted, "starts_at": one.starts_at, "ends_at": one.ends_at},
        "asked": asked and {"at": one.asked_at, "starts_at": asked.starts_at, "ends_at": asked.ends_at},
        "observation": {
            "state": one.state, "starts_at": proven and proven.starts_at, "ends_at": proven and proven.ends_at,
            "proven_at": one.proven_at, "first_used_at": one.first_used_at, "removed_at": one.removed_at,
        },
        "pending_change": change and {"before": asdict(change[0]), "after": asdict(change[1])},
        "is_proven": one.wanted and one.is_proven() and proven == one.wish,
        "exposure_minutes": exposure_minutes(one, now),
        "last_error": one.last_error, "troubles": [asdict(trouble) for trouble in troubles_of(one, now)],
    }  # fmt: skip


def exposure_minutes(one: Credential, now: datetime) -> int:
    """How long after its end it was, or still may be, on the lock; one that was never sent there is no danger."""
    was_sent = one.asked_at is not None or bool(one.provider_ref)
    return round(one.exposure(now).total_seconds() / 60) if was_sent else 0
