"""``/api/reservations``: stays by any of their names, their doors, proofs and jobs; and what may be done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from locks import planning
from reservations import services
from reservations.models import Accommodation, Reservation
from scheduler import clock
from scheduler import services as scheduling
from scheduler.models import Job
from smartlock.api import stays
from smartlock.api.callers import Token, actor, caller_of
from smartlock.api.problems import Problem
from smartlock.api.shapes import (
    ABSENT,
    Body,
    Day,
    Done,
    DryRun,
    Email,
    Filter,
    Instant,
    Language,
    Line,
    Name,
    Number,
    Page,
    Phone,
    Something,
    StaySource,
    StayStatus,
    WallTime,
    Words,
    page,
)

router = Router(tags=["reservations"])
READ, WRITE = Token("reservations:read"), Token("reservations:write")
PINS = Token("credentials:write")
Reference = Annotated[Name, Path(description="Stays' _id, its short id, the partner code, or our number")]
SEARCHED = ("guest_name", "guest_email", "short_id", "external_id", "partner_code", "accommodation__name")


class StayFilter(Filter):
    """Days are those of the property's calendar."""

    q: Annotated[Words, Field(description="words of the guest's name or e-mail, an id, or the unit's name")] = ABSENT
    accommodation: Number = ABSENT
    status: list[StayStatus] = []
    source: StaySource = ABSENT
    arriving_from: Day = ABSENT
    arriving_to: Day = ABSENT
    leaving_from: Day = ABSENT
    leaving_to: Day = ABSENT
    updated_since: Instant = ABSENT
    order: Literal["check_in_at", "-check_in_at", "-updated_at"] = "-check_in_at"

    def rows(self, *, by_contacts: bool) -> QuerySet[Reservation]:
        searched = [field for field in SEARCHED if by_contacts or field != "guest_email"]
        found = Reservation.objects.select_related("accommodation").order_by(self.order, "-pk")
        wanted = {
            "accommodation_id": self.accommodation, "source": self.source, "status__in": self.status or None,
            "check_in_date__gte": self.arriving_from, "check_in_date__lte": self.arriving_to,
            "check_out_date__gte": self.leaving_from, "check_out_date__lte": self.leaving_to,
            "updated_at__gte": self.updated_since,
        }  # fmt: skip
        found = found.filter(**{name: value for name, value in wanted.items() if value is not None})
        for word in (self.q or "").split():
            found = found.filter(Q(*((f"{field}__icontains", word) for field in searched), _connector=Q.OR))
        return found


class GuestIn(Body):
    name: Line = ""
    email: Email = ""
    phone: Phone = ""
    language: Language = ""


Entered = Literal["reserved", "booked", "contract", "blocked", "maintenance"]
UnitTime = Annotated[WallTime | None, Field(description="by the property's clock; null = the unit's usual time")]


class NewStay(Body):
    """A stay that no booking system knows."""

    accommodation: Number
    check_in_date: Day
    check_out_date: Day
    check_in_time: UnitTime = None
    check_out_time: UnitTime = None
    status: Entered = "booked"
    guest: GuestIn = GuestIn()


class StayChange(Something):
    accommodation: Number = ABSENT
    check_in_date: Day = ABSENT
    check_out_date: Day = ABSENT
    check_in_time: UnitTime = ABSENT
    check_out_time: UnitTime = ABSENT
    status: Entered = ABSENT
    guest: GuestIn = ABSENT


class Times(Body):
    """By the property's clock; null gives the time back to the stay's source."""

    check_in_time: WallTime | None
    check_out_time: WallTime | None


class JustCounting(Body):
    dry_run: DryRun = False


class Attempt(Schema):
    started_at: datetime
    finished_at: datetime | None
    outcome: str
    error: str
    lateness_ms: int
    worker: str


class StayJob(Schema):
    """A job of a stay, in the shape that ``job_status --json`` prints too."""

    id: int
    kind: str
    state: str
    run_at: datetime
    attempt: int
    max_attempts: int
    priority: int
    delay_seconds: int
    last_error: str
    attempts: list[Attempt]


class Confirmed(Schema):
    reservation: stays.Stay
    jobs: list[StayJob]


@router.get("", response=Page[stays.StayRow], auth=READ, summary="List and search stays")
def list_reservations(request: HttpRequest, chosen: Query[StayFilter]) -> Any:
    found, beside = page(chosen.rows(by_contacts=caller_of(request).sees_contacts), chosen)
    return {"items": [_as_allowed(stays.row(stay), request) for stay in found], **beside}


@router.post("", response={201: stays.Stay}, auth=WRITE, summary="Enter a stay by hand")
def create_reservation(request: HttpRequest, body: NewStay) -> Any:
    """For stays that no booking system knows. What Stays knows arrives by itself."""
    stay = Reservation(
        accommodation=_unit(body.accommodation), status=body.status, check_in_date=body.check_in_date,
        check_in_time=body.check_in_time, check_out_date=body.check_out_date, check_out_time=body.check_out_time,
        **_guest(body.guest),
    )  # fmt: skip
    return Status(201, _saved(stay, request))


@router.get("/{reference}", response=stays.Stay, auth=READ, summary="A stay with its doors and proofs")
def get_reservation(request: HttpRequest, reference: Reference) -> Any:
    return _as_allowed(stays.detail(the(reference), now=clock.now()), request)


@router.patch("/{reference}", response=stays.Stay, auth=WRITE, summary="Change a stay that was entered by hand")
def change_reservation(request: HttpRequest, reference: Reference, body: StayChange) -> Any:
    stay = _ours(reference)
    changes = body.given()
    if "accommodation" in changes:
        changes["accommodation"] = _unit(body.accommodation)
    guest = changes.pop("guest", None)
    if guest is not None:
        changes |= _guest(guest)
    for name, value in changes.items():
        setattr(stay, name, value)
    return _saved(stay, request)


@router.post("/{reference}/confirm", response=Confirmed, auth=WRITE, summary="Confirm a stay")
def confirm_reservation(request: HttpRequest, reference: Reference) -> Any:
    """Make it a booking, with a job that puts the PIN on each door and one that takes it off. Safe to repeat."""
    stay = the(reference)
    if stay.is_confirmed():
        planning.replan(stay.pk, now=clock.now())
    else:
        stay = _ours(reference)
        stay.status = Reservation.Status.BOOKED
        services.save_by_hand(stay, now=clock.now(), actor=actor(request))
    return {"reservation": stays.detail(stay, now=clock.now()), "jobs": _jobs(stay)}


@router.post("/{reference}/cancel", response=stays.Stay, auth=WRITE, summary="Cancel a stay that was entered by hand")
def cancel_reservation(request: HttpRequest, reference: Reference) -> Any:
    """Its jobs are called off and its PINs removed at once. One from a booking system is cancelled there."""
    stay = _ours(reference)
    services.end(stay, Reservation.Status.CANCELED, facts_at=clock.now(), actor=actor(request))
    return stays.detail(the(reference), now=clock.now())


@router.put("/{reference}/times", response=stays.Stay, auth=WRITE, summary="Agree on other times for one stay")
def set_times(request: HttpRequest, reference: Reference, body: Times) -> Any:
    """Early check-in, late check-out: whatever the booking system says, now or later, for this stay these hold."""
    stay = services.set_times(
        the(reference), check_in=body.check_in_time, check_out=body.check_out_time, now=clock.now(),
        actor=actor(request),
    )  # fmt: skip
    return stays.detail(stay, now=clock.now())


@router.post("/{reference}/replan", response=Confirmed, auth=WRITE, summary="Plan a stay again")
def replan_reservation(request: HttpRequest, reference: Reference) -> Any:
    """Compare what it is entitled to with its jobs, and put the jobs right. Safe to repeat."""
    stay = the(reference)
    planning.replan(stay.pk, now=clock.now())
    return {"reservation": stays.detail(stay, now=clock.now()), "jobs": _jobs(stay)}


@router.post("/{reference}/withdraw", response=stays.Stay, auth=PINS, summary="Take a stay's PINs away at once")
def withdraw_pins(request: HttpRequest, reference: Reference) -> Any:
    """Off every door, whatever the booking says, until they are readmitted."""
    stay = the(reference)
    planning.withdraw(stay.pk, now=clock.now(), actor=actor(request))
    return stays.detail(stay, now=clock.now())


@router.post("/{reference}/readmit", response=stays.Stay, auth=PINS, summary="Let a stay in again")
def readmit_pins(request: HttpRequest, reference: Reference) -> Any:
    """Undo ``withdraw``: new PINs, as the booking entitles to."""
    stay = the(reference)
    planning.readmit(stay.pk, now=clock.now(), actor=actor(request))
    return stays.detail(stay, now=clock.now())


@router.get("/{reference}/jobs", response=list[StayJob], auth=Token("jobs:read"), summary="The jobs of a stay")
def jobs_of_reservation(request: HttpRequest, reference: Reference) -> Any:
    """Oldest due time first, each with all its attempts."""
    return _jobs(the(reference))


@router.post(
    "/{reference}/jobs/cancel", response=Done, auth=Token("jobs:write"), summary="Call off all jobs of a stay"
)  # fmt: skip
def cancel_jobs_of_reservation(request: HttpRequest, reference: Reference, body: JustCounting) -> Any:
    """A PIN that is on a door stays there until its time ends; ``withdraw`` takes it off."""
    live = Job.objects.filter(subject=the(reference).subject, state__in=Job.LIVE)
    who, matched = actor(request), live.count()
    reason = f"Called off by {who}."
    gone = 0 if body.dry_run else scheduling.cancel(live, now=clock.now(), actor=who, reason=reason)
    return {"dry_run": body.dry_run, "matched": matched, "changed": gone}


def _as_allowed(shown: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """People who may not see how to reach a guest do not see it here either; a token's scope includes it."""
    if not caller_of(request).sees_contacts:
        shown["guest"] |= {"email": "", "phone": ""}
    return shown


def the(reference: str) -> Reservation:
    """The stay that is meant. Raises Problem (404)."""
    stay = services.lookup(reference)
    if stay is None:
        raise Problem(
            404, f"No reservation is known as {reference!r}.",
            what_to_do="Give Stays' _id, its short id, the partner code or our number; ?q= of the list searches.",
        )  # fmt: skip
    return stay


def _ours(reference: str) -> Reservation:
    """A stay that is nobody else's to change, held until the change is committed."""
    stay = the(reference)
    if stay.source != Reservation.Source.MANUAL:
        raise Problem(
            409, f"This stay comes from {stay.get_source_display()}: a change here would be undone by the next sync.",
            kind="not-ours",
            what_to_do="Change it there, and it changes here. /withdraw takes its PINs off the doors at once.",
        )  # fmt: skip
    return Reservation.objects.select_for_update(of=("self",)).select_related("accommodation").get(pk=stay.pk)


def _unit(number: int) -> Accommodation:
    unit = Accommodation.objects.filter(pk=number).first()
    if unit is None:
        raise Problem(
            404, f"No accommodation has the number {number}.", what_to_do="GET /api/accommodations lists them."
        )
    return unit


def _guest(guest: GuestIn) -> dict[str, str]:
    """Only what was given: a change of the phone leaves the name alone."""
    return {f"guest_{name}": getattr(guest, name) for name in guest.model_fields_set}


def _saved(stay: Reservation, request: HttpRequest) -> dict[str, Any]:
    services.save_by_hand(stay, now=clock.now(), actor=actor(request))
    return stays.detail(stay, now=clock.now())


def _jobs(stay: Reservation) -> list[dict[str, Any]]:
    now = clock.now()
    return [scheduling.describe(job, now) for job in scheduling.jobs_of(stay.subject).prefetch_related("attempts")]
