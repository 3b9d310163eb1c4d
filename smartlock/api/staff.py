"""``/api/staff-codes``: codes for people who work in the house. The digits are shown on the admin site, once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field, StringConstraints

from locks import staff
from locks.models import Lock, StaffCode
from reservations.models import Accommodation
from scheduler import clock
from smartlock.api import stays
from smartlock.api.callers import Token, actor
from smartlock.api.problems import Problem
from smartlock.api.shapes import ABSENT, Body, Filter, Instant, Number, Page, Words, page

router = Router(tags=["staff codes"])
READ, WRITE = Token("credentials:read"), Token("credentials:write")
CodeId = Annotated[Number, Path()]
Person = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=100)]
Numbers = Annotated[list[Number], Field(max_length=200)]
Row = TypeVar("Row", bound=Model)


class StaffRow(Schema):
    """``doors``: those that were named and all of the units that were named; ``proven_doors`` confirmed it."""

    id: int
    name: str
    person: str
    starts_at: datetime
    ends_at: datetime
    active: bool
    state: Literal["ready", "waiting", "incomplete", "no_doors", "removing", "ended"]
    doors: list[stays.LockName]
    proven_doors: int
    accommodations: list[stays.UnitName]


class StaffDetail(StaffRow):
    """With what is not proven to be off its doors."""

    credentials: list[stays.CredentialRow]


class StaffFilter(Filter):
    q: Annotated[Words, Field(description="part of what it is for, or of the person's name")] = ABSENT
    active: bool = ABSENT
    valid_at: Instant = ABSENT

    def rows(self) -> QuerySet[StaffCode]:
        found = StaffCode.objects.order_by("-pk")
        if self.q:
            found = found.filter(Q(name__icontains=self.q) | Q(person__icontains=self.q))
        if self.active is not None:
            found = found.filter(active=self.active)
        return found.filter(starts_at__lte=self.valid_at, ends_at__gt=self.valid_at) if self.valid_at else found


class NewStaffCode(Body):
    """At least one lock or accommodation."""

    name: Words
    person: Person = ""
    starts_at: Instant
    ends_at: Instant
    locks: Numbers = []
    accommodations: Annotated[Numbers, Field(description="all doors of these units")] = []


@router.get("", response=Page[StaffRow], auth=READ, summary="List staff codes, without digits")
def list_staff_codes(request: HttpRequest, chosen: Query[StaffFilter]) -> Any:
    """Newest first."""
    found, beside = page(staff.with_doors(chosen.rows()), chosen)
    return {"items": [_row(code) for code in found], **beside}


@router.post("", response={201: StaffDetail}, auth=WRITE, summary="Make a staff code")
def create_staff_code(request: HttpRequest, body: NewStaffCode) -> Any:
    """The digits are chosen here and put on the doors in time; an operator sees them on the admin site, once."""
    if body.ends_at <= max(body.starts_at, clock.now()):
        raise Problem(409, "Its end is not after its start, or is over.", what_to_do="Choose a later ends_at.")
    if not body.locks and not body.accommodations:
        raise Problem(409, "It would open no door.", what_to_do="Name locks or accommodations.")
    code = StaffCode(name=body.name, person=body.person, starts_at=body.starts_at, ends_at=body.ends_at)
    staff.save(
        code, locks=_known(Lock.objects.all(), body.locks, "lock"), now=clock.now(), actor=actor(request),
        accommodations=_known(Accommodation.objects.all(), body.accommodations, "accommodation"),
    )  # fmt: skip
    return Status(201, _detail(_the(code.pk)))


@router.get("/{int:code_id}", response=StaffDetail, auth=READ, summary="A staff code and what is on its doors")
def get_staff_code(request: HttpRequest, code_id: CodeId) -> Any:
    return _detail(_the(code_id))


@router.post("/{int:code_id}/end", response=StaffDetail, auth=WRITE, summary="End a staff code at once")
def end_staff_code(request: HttpRequest, code_id: CodeId) -> Any:
    """Off every door, now. Safe to repeat."""
    code = _the(code_id)
    if code.active:
        staff.end(code, now=clock.now(), actor=actor(request))
    return _detail(_the(code_id))


def _the(code_id: int) -> StaffCode:
    code = staff.with_doors(StaffCode.objects.filter(pk=code_id)).first()
    if code is None:
        raise Problem(404, f"No staff code has the number {code_id}.")
    return code


def _known(rows: QuerySet[Row], numbers: list[int], what: str) -> list[Row]:
    found = rows.in_bulk(numbers)
    if unknown := sorted(set(numbers) - found.keys()):
        raise Problem(404, f"No {what} has the number {unknown[0]}.", what_to_do=f"GET /api/{what}s lists them.")
    return list(found.values())


def _row(code: StaffCode) -> dict[str, Any]:
    plain = ("id", "name", "person", "starts_at", "ends_at", "active")
    return {
        **{name: getattr(code, name) for name in plain}, "state": staff.state_of(code, clock.now()).value,
        "doors": [{"id": lock.pk, "name": lock.name} for lock in staff.doors_of(code)],
        "proven_doors": len(staff.proven_doors(code)),
        "accommodations": [{"id": unit.pk, "name": unit.name} for unit in code.accommodations.all()],
    }  # fmt: skip


def _detail(code: StaffCode) -> dict[str, Any]:
    now = clock.now()
    credentials = [stays.credential(one, zone=None, now=now) for one in staff.there_of(code)]
    return {**_row(code), "credentials": credentials}
