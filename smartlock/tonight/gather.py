"""Reads what the chains of many arrivals need, in a fixed number of queries, and puts it in their terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from locks import caretaker
from locks.backups import IDLE
from locks.foresight import Concern, Trouble, concerns
from locks.holders import lead, stay_end
from locks.models import Credential, Fallback, Lock, LockEvent, LockIncident
from locks.plan import CHANGE, GENERATE
from locks.provider import Window
from notifications.models import Message
from notifications.outlook import Outlook, is_proven, patience, see
from notifications.planning import TELL_GUEST
from reservations.models import Reservation
from scheduler.models import Job
from smartlock.tonight import reasons
from smartlock.tonight.facts import ArrivalFacts, Backup, DoorFacts, JobFacts, Telling

State = Credential.State
JOB_FACTS = ("subject", "kind", "state", "run_at", "last_error")  # what ``job_facts`` looks at: a long night has many
TELLING = {
    Message.State.SENDING: Telling.SENDING, Message.State.FAILED: Telling.FAILED,
    Message.State.SKIPPED: Telling.UNREACHABLE,
}  # fmt: skip


def with_proofs(stays: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Fetch along what the chain looks at. The digits stay where they are; fingerprints tell who knows which PIN."""
    credentials = Credential.objects.select_related("lock").defer("pin_hash", "pin_sealed").order_by("lock__name", "pk")
    return stays.select_related("accommodation", "withdrawal").prefetch_related(
        Prefetch("credentials", queryset=credentials),
        Prefetch("fallbacks", queryset=Fallback.objects.select_related("credential", "lock")),
        Prefetch("messages", queryset=Message.objects.order_by("-id")),
        Prefetch("accommodation__locks", queryset=Lock.objects.order_by("name", "pk")),
    )


@dataclass(frozen=True)
class Surroundings:
    """What is known around the stays: troubles and backups of the locks, jobs, wrong PINs."""

    concerns: dict[int, list[Concern]]
    heard: set[int]
    backups: dict[int, Backup]
    jobs: dict[str, list[Job]]
    errors: dict[int, str]
    wrong: dict[int, list[datetime]]
    clocks: dict[int, LockIncident]


def facts_of(stays: Sequence[Reservation], *, now: datetime) -> dict[int, ArrivalFacts]:
    """By the number of the stay; ``stays`` come from ``with_proofs``."""
    around = _surroundings(stays, now)
    return {stay.pk: _arrival(stay, around, now) for stay in stays}


def _surroundings(stays: Sequence[Reservation], now: datetime) -> Surroundings:
    locks = list({lock.pk: lock for stay in stays for lock in stay.accommodation.locks.all()}.values())
    known, rules = caretaker.facts_of(locks, now=now), caretaker.policy()
    jobs = _jobs(stays)
    return Surroundings(
        concerns={lock.pk: concerns(facts, rules, now) for lock, facts in known.items()},
        heard={lock.pk for lock, facts in known.items() if facts.heard_at},
        backups=_backups(locks, now),
        jobs=jobs,
        errors=reasons.classes_of(job for found in jobs.values() for job in found),
        wrong=_wrong_pins(locks, stays),
        clocks=_clocks(locks),
    )


def _backups(locks: Iterable[Lock], now: datetime) -> dict[int, Backup]:
    rows = Credential.objects.filter(IDLE, lock__in=locks, ends_at__gt=now).values_list("lock", "state")
    found: dict[int, Backup] = {}
    for lock, state in rows:
        ready = state == State.ON_LOCK or found.get(lock) is Backup.READY
        found[lock] = Backup.READY if ready else Backup.ON_ITS_WAY
    return found


def _jobs(stays: Iterable[Reservation]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = defaultdict(list)
    rows = Job.objects.filter(
        subject__in=[stay.subject for stay in stays], kind__in=[GENERATE, CHANGE, TELL_GUEST],
        state__in=[*Job.LIVE, Job.State.FAILED],
    )  # fmt: skip
    for job in rows.only(*JOB_FACTS).order_by("run_at", "pk"):
        found[job.subject].append(job)
    return found


def _wrong_pins(locks: Iterable[Lock], stays: Iterable[Reservation]) -> dict[int, list[datetime]]:
    since = min((stay.check_in_at for stay in stays), default=None)
    found: dict[int, list[datetime]] = defaultdict(list)
    if since is not None:
        rows = LockEvent.objects.filter(lock__in=locks, kind=LockEvent.Kind.WRONG_PIN, at__gte=since)
        for lock, at in rows.values_list("lock", "at"):
            found[lock].append(at)
    return found


def _clocks(locks: Iterable[Lock]) -> dict[int, LockIncident]:
    """The locks whose clock seems wrong."""
    rows = LockIncident.objects.filter(lock__in=locks, kind=LockIncident.Kind.CLOCK, ended_at__isnull=True)
    return {row.lock_id: row for row in rows}


def _arrival(stay: Reservation, around: Surroundings, now: datetime) -> ArrivalFacts:
    wanted = [one for one in stay.credentials.all() if one.wanted and one.removed_at is None]
    by_lock = {one.lock_id: one for one in wanted}
    bridges = _bridges(stay, now)
    locks = list(stay.accommodation.locks.all())
    held = {one.lock_id: one for one in stay.fallbacks.all() if one.kind and one.holds(now)}
    held = {number: one for number, one in held.items() if number in {lock.pk for lock in locks}}
    outlook = see(stay, wanted, list(stay.messages.all()), held, now=now)
    jobs = around.jobs[stay.subject]
    return ArrivalFacts(
        received_at=stay.created_at, check_in_at=stay.check_in_at, ends_at=stay_end(stay),
        due_at=stay.check_in_at - max((lead(lock) for lock in locks), default=patience()),
        doors=tuple(
            _door(stay, lock, by_lock.get(lock.pk), held.get(lock.pk), bridges.get(lock.pk), around) for lock in locks
        ),
        door_jobs=job_facts([job for job in jobs if job.kind != TELL_GUEST], around.errors),
        telling_jobs=job_facts([job for job in jobs if job.kind == TELL_GUEST], around.errors),
        telling=_telling(outlook), told_at=max((m.sent_at for m in stay.messages.all() if m.sent_at), default=None),
        telling_error=reasons.of_message(outlook.last.error) if outlook.last else "", patience=patience(),
        is_active=stay.accommodation.active, is_withdrawn=hasattr(stay, "withdrawal"),
        is_mapped=not stay.unmapped_listing,
    )  # fmt: skip


def _door(
    stay: Reservation, lock: Lock, pin: Credential | None, given: Fallback | None, bridge: Credential | None,
    around: Surroundings,
) -> DoorFacts:  # fmt: skip
    troubles = {one.trouble: one for one in around.concerns.get(lock.pk, [])}
    battery, silent = troubles.get(Trouble.BATTERY), troubles.get(Trouble.SILENT)
    wifi, clock = lock.radio == Lock.Radio.WIFI, around.clocks.get(lock.pk)
    is_ahead = clock is not None and (clock.off_minutes or 0) > 0
    return DoorFacts(
        name=lock.name, **(_replaced(stay, given) if given else _pin(pin, bridge)), sleeps=wifi,
        is_offline=lock.online is False and not wifi,
        silent_since=silent.since if silent else None, battery_percent=lock.battery_percent,
        battery_low=battery is not None, flat_at=battery.need_at if battery else None,
        is_known=lock.pk in around.heard or lock.online is not None,
        clock_fails=clock is not None and not is_ahead, clock_ahead=is_ahead,
        backup=around.backups.get(lock.pk, Backup.NOT_SET_UP),
        wrong_pins=sum(at >= stay.check_in_at for at in around.wrong.get(lock.pk, [])),
    )  # fmt: skip


def _bridges(stay: Reservation, now: datetime) -> dict[int, Credential]:
    """By lock, the entry that opens in place of one that is not proven yet, if it will open when she comes."""
    comes_at = max(now, stay.check_in_at)
    found = {}
    for one in stay.credentials.all():
        way = one.standing() if one.bridges and one.removed_at is None else None
        if way is not None and way.starts_at <= comes_at < way.ends_at:
            found[one.lock_id] = one
    return found


def _pin(pin: Credential | None, bridge: Credential | None) -> dict[str, Any]:
    if pin is None:
        return {}
    used = [one.first_used_at for one in (pin, bridge) if one is not None and one.first_used_at is not None]
    return {
        "chosen": True, "accepted": bool(pin.provider_ref) and pin.asked == pin.wish, "proven": is_proven(pin),
        "proven_at": pin.proven_at, "refused": pin.state == State.FAILED, "unreadable": pin.state == State.UNKNOWN,
        "used_at": min(used, default=None), "bridged_until": bridge.ends_at if bridge is not None else None,
    }  # fmt: skip


def _replaced(stay: Reservation, given: Fallback) -> dict[str, Any]:
    """At this door the guest uses another code, which was proven before it was handed out."""
    opens = given.way(Window(stay.check_in_at, stay_end(stay))) is not None
    used_at = given.credential.first_used_at if given.credential is not None else None
    return {
        "chosen": True, "accepted": True, "proven": opens, "proven_at": given.handed_out_at, "replaced": True,
        "used_at": used_at,
    }  # fmt: skip


def job_facts(jobs: Sequence[Job], errors: Mapping[int, str]) -> JobFacts:
    """``errors``: ``reasons.classes_of`` them."""
    failed = [job for job in jobs if job.state == Job.State.FAILED]
    return JobFacts(
        next_at=min((job.run_at for job in jobs if job.is_live()), default=None), has_failed=bool(failed),
        error=reasons.of_job(errors.get(failed[-1].pk, ""), failed[-1].last_error) if failed else "",
    )  # fmt: skip


def _telling(outlook: Outlook) -> Telling:
    """A message that is not about what is missing now says nothing about it."""
    if outlook.template is None:
        return Telling.DONE if outlook.told is not None else Telling.NOTHING_YET
    if outlook.last is not None and outlook.is_about(outlook.last):
        return TELLING.get(Message.State(outlook.last.state), Telling.PLANNED)
    return Telling.PLANNED
