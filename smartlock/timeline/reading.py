"""What the timeline shows, in a number of queries that depends on nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from django.db.models import QuerySet

from locks.models import AccommodationLock, LockIncident
from reservations.models import Accommodation, Reservation
from smartlock.admin import words
from smartlock.timeline.board import Row, Span, Stay, lay_out
from webhooks.models import WebhookEvent

GONE = (Reservation.Status.CANCELED, Reservation.Status.DELETED)
# A day of any time zone lies within these of the UTC day of the same date.
ZONES = timedelta(hours=14)
MOST_PARKED = 500


@dataclass
class Line:
    """One unit: its row of bars, and what is amiss with it."""

    unit: Accommodation
    row: Row
    now: float
    incidents: list[LockIncident] = field(default_factory=list)
    parked: int = 0


def units(name: str) -> QuerySet[Accommodation]:
    """The active units whose name contains this, by name."""
    found = Accommodation.objects.filter(active=True).order_by("name", "pk")
    return found.filter(name__icontains=name) if name else found


def lines(shown: Sequence[Accommodation], span: Span, now: datetime) -> list[Line]:
    ids = [unit.pk for unit in shown]
    stays, incidents, parked = _stays(ids, span), _incidents(ids), _parked(ids)
    return [
        Line(
            unit, lay_out(stays[unit.pk], span, unit.zone), span.place(now, unit.zone), incidents[unit.pk],
            parked[unit.pk],
        )
        for unit in shown
    ]  # fmt: skip


def _stays(ids: Sequence[int], span: Span) -> dict[int, list[Stay]]:
    start = datetime.combine(span.first, time(), UTC) - ZONES
    end = datetime.combine(span.end, time(), UTC) + ZONES
    found = Reservation.objects.filter(accommodation_id__in=ids, check_in_at__lt=end, check_out_at__gt=start)
    by_unit = defaultdict(list)
    for stay in words.with_doors(found.exclude(status__in=GONE).order_by("check_in_at")):
        by_unit[stay.accommodation_id].append(Stay(stay.check_in_at, stay.check_out_at, stay.is_confirmed(), stay))
    return by_unit


def _incidents(ids: Sequence[int]) -> dict[int, list[LockIncident]]:
    """The open ones of the locks of these units: silent, battery low, tampered with."""
    by_lock = defaultdict(list)
    for lock, unit in AccommodationLock.objects.filter(accommodation_id__in=ids).values_list(
        "lock_id", "accommodation_id"
    ):
        by_lock[lock].append(unit)
    by_unit = defaultdict(list)
    for incident in LockIncident.objects.filter(ended_at__isnull=True, lock_id__in=by_lock).select_related("lock"):
        for unit in by_lock[incident.lock_id]:
            by_unit[unit].append(incident)
    return by_unit


def _parked(ids: Sequence[int]) -> Counter[int]:
    """How many parked events are about stays of these units; those of unknown listings have no unit yet."""
    newest = WebhookEvent.objects.filter(state=WebhookEvent.State.PARKED).exclude(external_id="")
    pointers = list(newest.order_by("-received_at").values_list("external_id", flat=True)[:MOST_PARKED])
    known = Reservation.objects.filter(external_id__in=pointers, accommodation_id__in=ids)
    times = Counter(pointers)
    counted: Counter[int] = Counter()
    for pointer, unit in known.values_list("external_id", "accommodation_id"):
        counted[unit] += times[pointer]
    return counted


def homeless() -> int:
    """How many parked events wait for a listing to be mapped to a unit: no row can show them."""
    return WebhookEvent.objects.filter(state=WebhookEvent.State.PARKED).exclude(listing_id="").count()
