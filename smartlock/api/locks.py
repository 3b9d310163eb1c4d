"""``/api/locks``: what a lock says of itself, the codes on it, and putting it in line with our records."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from locks import reconcile, room
from locks.lock_troubles import trouble_of
from locks.models import Credential, Lock, LockQuerySet
from locks.observations import LockIncident, Opening
from scheduler import clock
from smartlock.api import stays
from smartlock.api.callers import Token, actor
from smartlock.api.credentials import shown
from smartlock.api.gate import talks_to_a_door
from smartlock.api.problems import Problem
from smartlock.api.shapes import ABSENT, Body, Filter, Instant, Number, Page, Words, page

router = Router(tags=["locks"])
READ, WRITE = Token("locks:read"), Token("locks:write")
LockId = Annotated[Number, Path()]


class Incident(stays.Trouble):
    """A trouble of a lock that is going on: ``code`` is battery_low, silent, tamper, wrong_pins or clock."""

    began_at: datetime
    told_at: datetime | None


class LockRow(Schema):
    """``codes`` counts ours that are, or may be, on it; ``remaining`` is how many more it takes beside them and those
    of others that it listed last. null means that the lock has not told.
    """

    id: int
    name: str
    provider: str
    device_id: str
    radio: str
    online: bool | None
    battery_percent: int | None
    seen_at: datetime | None
    capacity: int
    codes: int
    remaining: int
    accommodations: list[stays.UnitName]
    incidents: list[Incident]


class LockFilter(Filter):
    q: Annotated[Words, Field(description="part of its name or device id")] = ABSENT
    accommodation: Number = ABSENT

    def rows(self) -> LockQuerySet:
        found = Lock.objects.order_by("name", "pk")
        if self.accommodation:
            found = found.filter(accommodations=self.accommodation)
        if self.q:
            found = found.filter(Q(name__icontains=self.q) | Q(device_id__icontains=self.q))
        return found


class OpeningFilter(Filter):
    since: Instant = ABSENT
    until: Instant = ABSENT

    def rows(self, lock: Lock) -> QuerySet[Opening]:
        found = Opening.objects.filter(lock=lock).select_related("credential", "fallback").order_by("-at", "-pk")
        if self.since:
            found = found.filter(at__gte=self.since)
        return found.filter(at__lt=self.until) if self.until else found


class OursOnLock(Schema):
    """``subject``: whose it is, such as reservation:17."""

    credential: int
    subject: str
    reservation: int | None
    name: str


class ChangedOnLock(OursOnLock):
    """``what``: ``name``, ``starts_at``, ``ends_at``, or ``state`` for one that was frozen."""

    what: list[str]
    asked: dict[str, Any]
    found: dict[str, Any]


class ForeignOnLock(Schema):
    name: str
    ref: str
    state: str
    starts_at: datetime | None
    ends_at: datetime | None


class OpeningRow(Schema):
    """The door was opened. ``who``: guest, backup, staff or unknown; ``matched_by`` says how that is known."""

    id: int
    at: datetime
    method: str
    who: str
    matched_by: str
    credential_id: int | None
    reservation_id: int | None


class Difference(Schema):
    """What the lock's own list and our records do not agree on. What is foreign, or changed by hand, is left alone."""

    lock: stays.LockName
    read_at: datetime
    missing: list[OursOnLock]
    unwanted: list[OursOnLock]
    foreign: list[ForeignOnLock]
    changed: list[ChangedOnLock]
    applied: bool
    mending: int


class Apply(Body):
    apply: Annotated[bool, Field(description="put missing and unwanted ones right by jobs; otherwise only show")] = (
        False
    )


@router.get("", response=Page[LockRow], auth=READ, summary="List locks")
def list_locks(request: HttpRequest, chosen: Query[LockFilter]) -> Any:
    found, beside = page(_counted(chosen.rows()), chosen)
    return {"items": [_row(lock) for lock in found], **beside}


@router.get("/{int:lock_id}", response=LockRow, auth=READ, summary="A lock")
def get_lock(request: HttpRequest, lock_id: LockId) -> Any:
    return _row(_the_lock(lock_id))


@router.get("/{int:lock_id}/codes", response=Page[stays.CredentialRow], auth=READ, summary="Our codes on a lock")
def codes_on_lock(request: HttpRequest, lock_id: LockId, chosen: Query[Filter]) -> Any:
    """Those that are not proven to be off it, the next ones first."""
    rows = Credential.objects.filter(lock=_the_lock(lock_id), removed_at__isnull=True)
    found, beside = page(rows.select_related("lock", "reservation__accommodation").order_by("starts_at", "pk"), chosen)
    return {"items": [shown(one) for one in found], **beside}


@router.post("/{int:lock_id}/reconcile", response=Difference, auth=WRITE, summary="Compare a lock with our records")
@talks_to_a_door
def reconcile_lock(request: HttpRequest, lock_id: LockId, body: Apply) -> Any:
    """Reads the lock. With ``apply`` missing and unwanted PINs are put right by jobs; foreign ones never are."""
    lock, now = _the_lock(lock_id), clock.now()
    look = reconcile.reconcile if body.apply else reconcile.preview
    difference = look(lock, now=now, actor=actor(request))
    mending = len(difference.missing) + len(difference.unwanted) if body.apply else 0
    return {
        "lock": {"id": lock.pk, "name": lock.name}, "read_at": now, **difference.as_dict(), "applied": body.apply,
        "mending": mending,
    }  # fmt: skip


@router.get("/{int:lock_id}/openings", response=Page[OpeningRow], auth=READ, summary="Who opened a lock, and when")
def openings_of_lock(request: HttpRequest, lock_id: LockId, chosen: Query[OpeningFilter]) -> Any:
    """Newest first."""
    found, beside = page(chosen.rows(_the_lock(lock_id)), chosen)
    return {"items": [_opening(one) for one in found], **beside}


def _opening(one: Opening) -> dict[str, Any]:
    plain = [name for name in OpeningRow.model_fields if name != "reservation_id"]
    owner = one.credential or one.fallback
    stay = owner.reservation_id if owner else None
    return {**{name: getattr(one, name) for name in plain}, "reservation_id": stay}


def _counted(rows: LockQuerySet) -> LockQuerySet:
    running = Prefetch("incidents", queryset=LockIncident.objects.filter(ended_at__isnull=True))
    return rows.with_codes().select_related("report").prefetch_related("accommodations", running)


def _row(lock: Any) -> dict[str, Any]:
    plain = [name for name in LockRow.model_fields if name not in ("accommodations", "incidents", "remaining")]
    units = [{"id": unit.pk, "name": unit.name} for unit in lock.accommodations.all()]
    incidents = [
        {**asdict(trouble_of(row)), "began_at": row.began_at, "told_at": row.told_at} for row in lock.incidents.all()
    ]
    return {
        **{name: getattr(lock, name) for name in plain}, "accommodations": units, "incidents": incidents,
        "remaining": room.remaining(lock),
    }  # fmt: skip


def _the_lock(lock_id: int) -> Lock:
    lock = _counted(Lock.objects.filter(pk=lock_id)).first()
    if lock is None:
        raise Problem(404, f"No lock has the number {lock_id}.")
    return lock
