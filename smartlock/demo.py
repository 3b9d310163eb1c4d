"""A lively demo around today: the sandbox's three units and doors, stays in every state, and what happened to them.

What lies ahead is made by the real services, so its jobs are real. What lies in the past is written down as if it had
happened, because no service can act in the past. Demo stays are entered by hand (source ``manual``, ids ``demo-…``),
so that a sync with Stays neither sees nor ends them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from locks.models import AccommodationLock, Credential, Lock, Opening
from notifications.models import Message, Notice
from reservations import services
from reservations.facts import Guest, ReservationFacts
from reservations.models import Accommodation, Reservation
from scheduler import totals
from scheduler.models import Job
from smartlock import demo_doors, demo_history, demo_tonight
from smartlock.audit.models import AuditLog
from smartlock.audit.services import record
from webhooks.models import WebhookEvent

ACTOR = "demo"
PREFIX = "demo-"
Status = Reservation.Status
S_PAULO, MANAUS = "America/Sao_Paulo", "America/Manaus"
COPACABANA, PINHEIROS = "6908f6db00000000000000a1", "6908f6db00000000000000b2"
CENTRO, PARATY = "6908f6db00000000000000c3", "6908f6db00000000000000d4"


@dataclass(frozen=True)
class Unit:
    """A unit and, if it has one, its door."""

    listing_id: str
    short_id: str
    name: str
    zone: str
    device_id: str = ""
    radio: Lock.Radio = Lock.Radio.WIFI


UNITS = (
    Unit(COPACABANA, "CO01A", "Copacabana 301", S_PAULO, "vdevo000000000000wifi", Lock.Radio.WIFI),
    Unit(PINHEIROS, "PI02B", "Pinheiros 12", S_PAULO, "vdevo0000000000zigbee", Lock.Radio.ZIGBEE),
    Unit(CENTRO, "MA03C", "Manaus Centro 7", MANAUS, "vdevo000000000000ble1", Lock.Radio.BLE),
    Unit(PARATY, "PA04D", "Casa Paraty (em reforma)", S_PAULO),  # inactive: it gets no PINs
)
INACTIVE = {PARATY}
SCENES = {scene.listing_id: scene for scene in demo_tonight.SCENES}
STAGE = tuple(
    Unit(one.listing_id, one.key.upper(), one.unit, S_PAULO, one.device_id, one.radio) for one in SCENES.values()
)


@dataclass(frozen=True)
class Stay:
    """A stay by the number of days from today; ``tries`` tells how hard the doors of a past one were."""

    key: str
    listing_id: str
    guest: Guest
    first_day: int
    last_day: int
    status: Status = Status.BOOKED
    tries: int = 1

    @property
    def external_id(self) -> str:
        return PREFIX + self.key


def _guest(name: str, language: str, phone: str) -> Guest:
    return Guest(name, f"{name.split()[0].lower()}@example.com", phone, language)


# At the sandbox's doors nobody is in house, nor comes in the next two weeks: those days are for the bookings one makes
# there. Tonight has its guests at doors of their own (``demo_tonight``).
STAYS = (
    Stay("01", COPACABANA, _guest("Ana Souza", "pt-BR", "+5521900000001"), -6, -3),
    Stay("02", PINHEIROS, _guest("Miguel Costa", "pt-BR", "+5511900000002"), -4, -1, tries=3),
    Stay("03", CENTRO, _guest("Emily Carter", "en-US", "+12025550103"), 15, 17),
    Stay("04", COPACABANA, _guest("Lucas Almeida", "pt-BR", "+5521900000004"), 16, 20),
    Stay("05", PINHEIROS, _guest("Julia Pereira", "pt-BR", "+5511900000005"), 15, 19, Status.RESERVED),
    Stay("06", PINHEIROS, _guest("Sofía García", "es-AR", "+541100000006"), 16, 18, Status.CANCELED),
    Stay("07", CENTRO, _guest("Rafael Lima", "pt-BR", "+5592900000007"), 21, 51, Status.CONTRACT),
    Stay("08", COPACABANA, Guest(), 25, 27, Status.MAINTENANCE),
    Stay("09", PARATY, _guest("Beatriz Rocha", "pt-BR", "+5524900000009"), 7, 10),
)


@dataclass
class Seeded:
    """What was made or removed; ``notes`` are sentences for the person who asked."""

    made: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def has_foreign_data() -> bool:
    """Whether somebody's own units, doors or hand-written stays are in this database."""
    mine = [unit.listing_id for unit in (*UNITS, *STAGE)]
    doors = [unit.device_id for unit in (*UNITS, *STAGE)]
    stays = Reservation.objects.exclude(external_id__startswith=PREFIX).exclude(source=Reservation.Source.STAYS)
    return (
        Accommodation.objects.exclude(external_id__in=mine).exists()
        or Lock.objects.exclude(device_id__in=doors).exists()
        or stays.exists()
    )


def speaks_to_a_sandbox() -> bool:
    """Only an address on this machine counts as one: PINs of made-up guests must never go to a real door."""
    host = urlsplit(settings.TUYA_BASE_URL).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@transaction.atomic
def seed(*, now: datetime) -> Seeded:
    """Make what is missing of the demo; what is there stays as it is, so repeating it changes nothing."""
    before = counts()
    units = {unit.listing_id: _unit(unit, now) for unit in UNITS}
    for stay in STAYS:
        if not Reservation.objects.filter(external_id=stay.external_id).exists():
            _save(stay, units[stay.listing_id], now)
    for unit in STAGE:
        if not Accommodation.objects.filter(external_id=unit.listing_id).exists():
            _play(_unit(unit, now), now)
    demo_doors.furnish([unit.device_id for unit in UNITS if unit.device_id], now=now)
    demo_history.events(now, known=COPACABANA, unknown="6908f6db00000000000000e5")
    after = counts()
    seeded = Seeded(made={name: after[name] - before[name] for name in after})
    if any(seeded.made.values()):
        record("demo.seeded", "demo", actor=ACTOR, made=seeded.made)
    return seeded


@transaction.atomic
def reset(*, now: datetime) -> Seeded:
    """Delete the demo's stays and what hangs on them. One whose PIN may still be on a door ends first, and stays."""
    before, result = counts(), Seeded()
    for stay in Reservation.objects.filter(source=Reservation.Source.MANUAL, external_id__startswith=PREFIX):
        on_stage = stay.accommodation.external_id in SCENES
        if not on_stage and Credential.objects.filter(reservation=stay, removed_at__isnull=True).exists():
            services.end(stay, Status.CANCELED, facts_at=now, actor=ACTOR)
            result.notes.append(f"{stay} has a PIN on a door: its removal is planned, run --reset again afterwards.")
        else:
            _forget(stay, on_stage=on_stage)
    WebhookEvent.objects.filter(dedupe_key__startswith=PREFIX).delete()
    for unit in _deletable():
        unit.delete()
    doors = Lock.objects.filter(device_id__in=[unit.device_id for unit in (*UNITS, *STAGE)])
    doors.filter(accommodations__isnull=True, credentials__isnull=True).delete()
    after = counts()
    result.removed = {name: before[name] - after[name] for name in after}
    record("demo.reset", "demo", actor=ACTOR, removed=result.removed)
    return result


def counts() -> dict[str, int]:
    models = {
        "accommodations": Accommodation, "locks": Lock, "links": AccommodationLock, "reservations": Reservation,
        "credentials": Credential, "jobs": Job, "webhook_events": WebhookEvent, "audit_entries": AuditLog,
    }  # fmt: skip
    return {name: model._default_manager.count() for name, model in models.items()}


def _unit(unit: Unit, now: datetime) -> Accommodation:
    known = Accommodation.objects.filter(external_id=unit.listing_id).first()
    if known is not None:
        return known
    made = Accommodation(
        name=unit.name, external_id=unit.listing_id, short_id=unit.short_id, timezone=unit.zone,
        active=unit.listing_id not in INACTIVE,
    )  # fmt: skip
    services.save_accommodation(made, now=now, actor=ACTOR)
    if unit.device_id:
        named = {"name": f"Porta {unit.name}", "radio": unit.radio}
        lock, _created = Lock.objects.get_or_create(device_id=unit.device_id, defaults=named)
        AccommodationLock.objects.get_or_create(accommodation=made, lock=lock)
    return made


def _save(stay: Stay, unit: Accommodation, now: datetime) -> None:
    today = now.astimezone(unit.zone).date()
    facts = ReservationFacts(
        external_id=stay.external_id, listing_id=stay.listing_id, status=stay.status.value, guest=stay.guest,
        short_id=f"DEMO{stay.key}", check_in_date=today + timedelta(days=stay.first_day),
        check_out_date=today + timedelta(days=stay.last_day),
    )  # fmt: skip
    saved = services.save_facts(facts, facts_at=now, source=Reservation.Source.MANUAL, actor=ACTOR).reservation
    if stay.last_day < 0:
        demo_history.past_stay(saved, tries=stay.tries)


def _play(unit: Accommodation, now: datetime) -> None:
    """One scene of tonight: its stay by the real service, and then what is going on."""
    scene = SCENES[unit.external_id]
    starts_at = (now + timedelta(hours=scene.comes_in)).astimezone(unit.zone)
    ends_at = starts_at + timedelta(hours=scene.stays)
    facts = ReservationFacts(
        external_id=f"{PREFIX}tonight-{scene.key}", listing_id=scene.listing_id, status=Status.BOOKED.value,
        guest=_guest(scene.guest, scene.language, ""), short_id=f"DEMO{scene.key.upper()}",
        check_in_date=starts_at.date(), check_in_time=starts_at.time().replace(second=0, microsecond=0),
        check_out_date=ends_at.date(), check_out_time=ends_at.time().replace(second=0, microsecond=0),
    )  # fmt: skip
    stay = services.save_facts(facts, facts_at=now, source=Reservation.Source.MANUAL, actor=ACTOR).reservation
    demo_tonight.furnish(scene, stay, unit.locks.get(), now=now)


def _forget(stay: Reservation, *, on_stage: bool) -> None:
    if on_stage:
        demo_tonight.forget(stay.accommodation.locks.get())
    totals.forget(Job.objects.filter(subject=stay.subject))
    AuditLog.objects.filter(subject=stay.subject).delete()
    Message.objects.filter(reservation=stay).delete()
    Notice.objects.filter(subject=stay.subject).delete()
    Opening.objects.filter(credential__reservation=stay).delete()
    Credential.objects.filter(reservation=stay).delete()
    stay.delete()


def _deletable() -> Iterator[Accommodation]:
    """Demo units that nobody else's stay hangs on (a booking made in the sandbox, say)."""
    for unit in Accommodation.objects.filter(external_id__in=[one.listing_id for one in (*UNITS, *STAGE)]):
        if not unit.reservations.exists():
            yield unit
