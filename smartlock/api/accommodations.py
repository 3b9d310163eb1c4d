"""``/api/accommodations``: the units, their clocks and usual times."""

from __future__ import annotations

from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field, StringConstraints

from reservations import services
from reservations.models import Accommodation, validate_zone
from scheduler import clock
from smartlock.api import stays
from smartlock.api.callers import Token, actor
from smartlock.api.problems import Problem
from smartlock.api.shapes import ABSENT, Filter, Number, Page, Something, WallTime, Whole, Words, page

router = Router(tags=["accommodations"])
READ, WRITE = Token("reservations:read"), Token("reservations:write")
UnitId = Annotated[Number, Path()]
Zone = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]


class Unit(Schema):
    """Times are those of the property's clock. An inactive unit gets no PINs."""

    id: int
    name: str
    external_id: str
    short_id: str
    timezone: str
    check_in_time: str
    check_out_time: str
    grace_minutes: int
    active: bool
    locks: list[stays.LockName]


class UnitFilter(Filter):
    q: Annotated[Words, Field(description="part of its name, or an id at Stays")] = ABSENT

    def rows(self) -> QuerySet[Accommodation]:
        found = Accommodation.objects.order_by("name", "pk")
        if self.q:
            found = found.filter(Q(name__icontains=self.q) | Q(external_id=self.q) | Q(short_id=self.q))
        return found


class UnitChange(Something):
    """Stays that are not over get the new times."""

    name: Words = ABSENT
    timezone: Annotated[Zone, Field(description="IANA, such as America/Sao_Paulo")] = ABSENT
    check_in_time: WallTime = ABSENT
    check_out_time: WallTime = ABSENT
    grace_minutes: Annotated[int, Field(ge=0, le=1440), Whole] = ABSENT
    active: bool = ABSENT


@router.get("", response=Page[Unit], auth=READ, summary="List accommodations")
def list_accommodations(request: HttpRequest, chosen: Query[UnitFilter]) -> Any:
    found, beside = page(chosen.rows().prefetch_related("locks"), chosen)
    return {"items": [_row(unit) for unit in found], **beside}


@router.get("/{int:unit_id}", response=Unit, auth=READ, summary="An accommodation")
def get_accommodation(request: HttpRequest, unit_id: UnitId) -> Any:
    return _row(_the_unit(unit_id))


@router.patch("/{int:unit_id}", response=Unit, auth=WRITE, summary="Change an accommodation")
def change_accommodation(request: HttpRequest, unit_id: UnitId, body: UnitChange) -> Any:
    unit = _the_unit(unit_id)
    changes = body.given()
    if "timezone" in changes:
        _known(body.timezone)
    for name, value in changes.items():
        setattr(unit, name, value)
    services.save_accommodation(unit, now=clock.now(), actor=actor(request))
    return _row(_the_unit(unit_id))


def _row(unit: Accommodation) -> dict[str, Any]:
    return {
        **{name: getattr(unit, name) for name in (
            "id", "name", "external_id", "short_id", "timezone", "grace_minutes", "active"
        )},
        "check_in_time": f"{unit.check_in_time:%H:%M}", "check_out_time": f"{unit.check_out_time:%H:%M}",
        "locks": [{"id": lock.pk, "name": lock.name} for lock in unit.locks.all()],
    }  # fmt: skip


def _the_unit(unit_id: int) -> Accommodation:
    unit = Accommodation.objects.filter(pk=unit_id).first()
    if unit is None:
        raise Problem(404, f"No accommodation has the number {unit_id}.")
    return unit


def _known(zone: str) -> None:
    try:
        validate_zone(zone)
    except ValidationError as error:
        raise Problem(409, " ".join(error.messages), what_to_do="Write it like America/Sao_Paulo.") from None
