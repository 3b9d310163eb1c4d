"""Brings the live jobs of a stay in line with its plan. Runs in the transaction that changed the facts.

Running it twice changes nothing, and the order in which facts arrive does not matter: it only looks at the last ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from locks.models import Credential, Lock, Withdrawal
from locks.plan import KINDS, CredentialFacts, StayFacts, WantedJob, is_entitled, plan, ran_its_course
from locks.signals import credential_changed
from reservations.models import Reservation
from scheduler import services as jobs
from scheduler.models import Heartbeat, Job
from smartlock.audit.services import record

LAST_LOOK = "replan_after_jobs"


@transaction.atomic
def replan(reservation_id: int, *, now: datetime) -> None:
    """Wishes first, then jobs: compare what the stay is entitled to with what is scheduled."""
    held = Reservation.objects.select_for_update(of=("self",)).select_related("accommodation")
    reservation = held.filter(pk=reservation_id).first()
    if reservation is None:
        return
    credentials = list(Credential.objects.filter(reservation=reservation, removed_at__isnull=True))
    update_wishes(reservation, credentials, now=now)
    align_jobs(reservation, plan(stay_facts(reservation, credentials), now), now=now)


@transaction.atomic
def withdraw(reservation_id: int, *, now: datetime, actor: str) -> int:
    """An operator takes a stay's PINs away at once, whatever the booking says. Returns how many are being removed.

    They stay away until ``readmit``; cancelling and changing the booking make no difference to that.
    """
    reservation = Reservation.objects.select_for_update().get(pk=reservation_id)
    Withdrawal.objects.get_or_create(reservation=reservation, defaults={"actor": actor, "at": now})
    replan(reservation_id, now=now)
    count = Credential.objects.filter(reservation=reservation, removed_at__isnull=True).count()
    record("pins.withdrawn", reservation.subject, actor=actor, count=count)
    return count


@transaction.atomic
def readmit(reservation_id: int, *, now: datetime, actor: str) -> None:
    """Undo ``withdraw``: the stay gets new PINs, as its booking entitles it to."""
    reservation = Reservation.objects.select_for_update().get(pk=reservation_id)
    Withdrawal.objects.filter(reservation=reservation).delete()
    record("pins.readmitted", reservation.subject, actor=actor)
    replan(reservation_id, now=now)


def replan_subject(subject: str, *, now: datetime) -> None:
    """The same for the stay that a job is about, ``reservation:<id>``."""
    kind, _, number = subject.partition(":")
    if kind == "reservation" and number.isdigit():
        replan(int(number), now=now)


def replan_after_jobs(*, now: datetime, recent: timedelta = timedelta(minutes=3)) -> int:
    """Look once more at the stays whose jobs ended lately, in case a process died before it could.

    Lately means shortly before the last look or after it, however long beat was away in between.
    """
    last_look = Heartbeat.objects.filter(name=LAST_LOOK).values_list("beat_at", flat=True).first() or now
    since = min(last_look, now) - recent
    ended = Job.objects.filter(kind__in=KINDS, finished_at__gt=since).values_list("subject", flat=True)
    subjects = sorted(set(ended))
    for subject in subjects:
        replan_subject(subject, now=now)
    Heartbeat.objects.update_or_create(name=LAST_LOOK, defaults={"beat_at": now})
    return len(subjects)


def stay_end(reservation: Reservation) -> datetime:
    """When the PIN stops opening: check-out plus the unit's grace."""
    return reservation.check_out_at + timedelta(minutes=reservation.accommodation.grace_minutes)


def stay_facts(reservation: Reservation, credentials: list[Credential] | None = None) -> StayFacts:
    """What the plan needs to know of a reservation, read from the database."""
    if credentials is None:
        credentials = list(Credential.objects.filter(reservation=reservation, removed_at__isnull=True))
    locks = Lock.objects.filter(accommodations=reservation.accommodation_id)
    return StayFacts(
        is_confirmed=reservation.is_confirmed(),
        is_active=reservation.accommodation.active,
        is_withdrawn=Withdrawal.objects.filter(reservation=reservation).exists(),
        check_in_at=reservation.check_in_at,
        ends_at=stay_end(reservation),
        locks={lock.pk: lead(lock) for lock in locks},
        credentials=tuple(
            CredentialFacts(c.lock_id, c.wanted, c.asked, c.state == Credential.State.ON_LOCK, c.wish)
            for c in credentials
        ),
    )


def lead(lock: Lock) -> timedelta:
    minutes = settings.PIN_LEAD_MINUTES if lock.lead_minutes is None else lock.lead_minutes
    return timedelta(minutes=minutes)


def update_wishes(reservation: Reservation, credentials: list[Credential], *, now: datetime) -> None:
    """Carry the stay's facts into the wish of its credentials: should they be there, and from when to when."""
    wanted = [credential for credential in credentials if credential.wanted]
    if not wanted:
        return
    stay = stay_facts(reservation, credentials)
    for credential in wanted:
        before = (credential.wanted, credential.starts_at, credential.ends_at)
        if credential.lock_id not in stay.locks or not (is_entitled(stay, now) or ran_its_course(stay, now)):
            credential.wanted, credential.unwanted_at = False, now
        else:
            credential.starts_at, credential.ends_at = _wished_start(reservation, credential), stay.ends_at
        if before != (credential.wanted, credential.starts_at, credential.ends_at):
            credential.save()
            credential_changed.send(Credential, credential=credential)


def _wished_start(reservation: Reservation, credential: Credential) -> datetime:
    """After the first use only the end moves: the guest is inside."""
    if credential.first_used_at is None:
        return reservation.check_in_at
    return min(credential.starts_at, reservation.check_in_at)


def align_jobs(reservation: Reservation, wanted: list[WantedJob], *, now: datetime) -> None:
    """Schedule what is missing, move what is set for another time, call off what is not wanted any more."""
    subject = reservation.subject
    rows = Job.objects.filter(subject=subject, kind__in=KINDS, state__in=[*Job.LIVE, Job.State.FAILED])
    known = list(rows)
    live = {job.live_key: job for job in known if job.is_live()}
    # The very same job failed for good: it waits for a person, planning again must not start it anew.
    shelf = {(job.live_key, job.due_at) for job in known if not job.is_live()}
    for job in wanted:
        existing = live.pop(live_key(subject, job), None)
        if existing is not None or (live_key(subject, job), job.due_at) not in shelf:
            _align_one(subject, job, existing, now=now)
    stale = [job.pk for job in live.values()]
    if stale:
        jobs.cancel(Job.objects.filter(pk__in=stale), now=now, reason="The stay is no longer entitled to it.")


def live_key(subject: str, job: WantedJob) -> str:
    return f"{job.kind}:{subject}:lock:{job.lock_id}"


def _align_one(subject: str, wanted: WantedJob, existing: Job | None, *, now: datetime) -> None:
    if existing is not None and _satisfies(existing, wanted, now):
        return
    due_at = wanted.due_at or now
    if existing is not None and existing.state == Job.State.SCHEDULED:
        jobs.reschedule(Job.objects.filter(pk=existing.pk), due_at=due_at, now=now, expires_at=wanted.expires_at)
        return
    if existing is not None:  # it runs, for a time that is no longer right: its next check stops it
        jobs.cancel(Job.objects.filter(pk=existing.pk), now=now, reason="The stay's times changed while it ran.")
    jobs.schedule(
        wanted.kind, subject=subject, live_key=live_key(subject, wanted), payload={"lock": wanted.lock_id},
        due_at=due_at, now=now, expires_at=wanted.expires_at,
    )  # fmt: skip


def _satisfies(existing: Job, wanted: WantedJob, now: datetime) -> bool:
    if wanted.expires_at != existing.expires_at:
        return False
    return existing.due_at <= now if wanted.due_at is None else existing.due_at == wanted.due_at
