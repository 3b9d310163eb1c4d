"""Brings the live jobs of a stay, or of any other holder of PINs, in line with its plan, in the transaction that
changed the facts.

Running it twice changes nothing, and the order in which facts arrive does not matter: it only looks at the last ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from locks import holders
from locks.called_off import called_off, staying_off
from locks.holders import Holder
from locks.models import Credential, Withdrawal
from locks.plan import GENERATE, KINDS, WantedJob, is_bridge, is_entitled, plan, ran_its_course
from locks.store import note_new
from locks.watching import wanted_looks
from reservations.models import Reservation
from scheduler import services as jobs
from scheduler.models import Heartbeat, Job
from smartlock.audit.services import record

LAST_LOOK = "replan_after_jobs"
PORTION = 500  # so many stays are looked at in one statement
SECRETS = ("pin_hash", "pin_sealed", "pin_fingerprint")


def replan(reservation_id: int, *, now: datetime) -> None:
    """``replan_subject`` for a stay."""
    replan_subject(f"reservation:{reservation_id}", now=now)


@transaction.atomic
def replan_subject(subject: str, *, now: datetime, after_job: bool = False) -> None:
    """Wishes first, then jobs: compare what the holders of ``subject`` are entitled to with what is scheduled.

    ``after_job``: because of what a job did. What a person called off stays off then: nobody asked for it since.
    """
    wanted: dict[str, tuple[Holder, WantedJob]] = {}
    off: set[str] = set()
    found = holders.of(subject, hold=True)
    by_person = called_off([subject]) if after_job else set()
    for holder in found:
        credentials = list(holder.credentials().filter(removed_at__isnull=True))
        update_wishes(holder, credentials, now=now)
        plan_of_one = _wanted(holder, credentials, now)
        wanted |= {key: (holder, job) for key, job in plan_of_one.items()}
        off |= staying_off(holder, plan_of_one.values(), credentials, by_person)
    if found:
        align_jobs(subject, wanted, off=off, now=now)
    for lock_id in sorted({one.lock_id for holder in found for one in holder.fallbacks if one.is_backup()}):
        # The backup that was handed out follows the stay. On its own: the lock's row is never taken after the stay's.
        transaction.on_commit(lambda lock_id=lock_id: replan_subject(f"lock:{lock_id}", now=now), robust=True)  # type: ignore[misc]


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


@transaction.atomic
def renew(reservation_id: int, *, now: datetime, actor: str) -> int:
    """Other digits for a guest, say because the old ones were passed on. Returns how many PINs are given up for it.

    Nothing happens to a stay that is not entitled to a PIN, or has none yet.
    """
    found = holders.of(f"reservation:{reservation_id}", hold=True)
    count = 0
    for holder in (one for one in found if is_entitled(one, now)):
        for credential in holder.credentials().filter(Q(wanted=True) | Q(bridges=True), removed_at__isnull=True):
            count += credential.wanted
            note_new(credential, wanted=False, bridges=False, unwanted_at=now)
    if count:
        record("pins.renewed", f"reservation:{reservation_id}", actor=actor, count=count)
        replan(reservation_id, now=now)
        hurry(GENERATE, now=now, subject=f"reservation:{reservation_id}")
    return count


def hurry(*kinds: str, now: datetime, **which: Any) -> int:
    """What was due already and waits, for a reason that is perhaps none any longer, is tried at once. How many jobs.

    Those of the future stay where they are.
    """
    waiting = Job.objects.filter(kind__in=kinds, state=Job.State.SCHEDULED, due_at__lte=now, run_at__gt=now)
    return jobs.run_now(waiting.filter(**which), now=now)


def replan_after_jobs(*, now: datetime, recent: timedelta = timedelta(minutes=3)) -> int:
    """Look once more at those whose jobs ended lately, in case a process died before it could.

    Lately means shortly before the last look or after it, however long beat was away in between.
    """
    last_look = Heartbeat.objects.filter(name=LAST_LOOK).values_list("beat_at", flat=True).first() or now
    since = min(last_look, now) - recent
    ended = Job.objects.filter(kind__in=KINDS, finished_at__gt=since)
    subjects = sorted(ended.order_by().values_list("subject", flat=True).distinct())
    for start in range(0, len(subjects), PORTION):
        look_again(subjects[start : start + PORTION], now=now)
    Heartbeat.objects.update_or_create(name=LAST_LOOK, defaults={"beat_at": now})
    return len(subjects)


def look_again(subjects: Iterable[str], *, now: datetime) -> int:
    """After their jobs have ended, plan those anew whose wishes or jobs are not as planned; returns how many.

    After a job that did what it should nothing is to be planned, and finding that out takes four statements for all.
    """
    rest = set(subjects) - _in_line(subjects, now)
    if by_person := called_off(rest):
        rest -= _in_line(rest, now, by_person)
    for subject in sorted(rest):
        replan_subject(subject, now=now, after_job=True)
    return len(rest)


def _in_line(subjects: Iterable[str], now: datetime, by_person: Collection[str] = ()) -> set[str]:
    """The stays among them for which planning would change nothing."""
    named = (subject.partition(":") for subject in subjects)
    ids = [int(number) for word, _, number in named if word == "reservation"]
    stays = holders.guests(ids)
    credentials, known = defaultdict(list), defaultdict(list)
    for credential in Credential.objects.filter(reservation__in=ids, removed_at__isnull=True).defer(*SECRETS):
        credentials[credential.subject].append(credential)
    for job in _known_jobs(subject__in=[stay.subject for stay in stays]):
        known[job.subject].append(job)
    return {
        stay.subject for stay in stays
        if _is_in_line(stay, credentials[stay.subject], known[stay.subject], now, by_person)
    }  # fmt: skip


def _is_in_line(
    holder: Holder, credentials: list[Credential], known: list[Job], now: datetime, by_person: Collection[str]
) -> bool:
    for credential, wish in _wishes(holder, credentials, now):
        if any(getattr(credential, name) != value for name, value in wish.items()):
            return False
    if any(one.is_backup() for one in holder.fallbacks):  # the pool of that lock follows the stay
        return False
    wanted = _wanted(holder, credentials, now)
    live = {job.live_key: job for job in known if job.is_live()}
    given_up = _given_up(known, staying_off(holder, wanted.values(), credentials, by_person))
    missing = [key for key, job in wanted.items() if key not in live and not given_up(key, job)]
    return not missing and all(key in wanted and _satisfies(job, wanted[key], now) for key, job in live.items())


def _wanted(holder: Holder, credentials: list[Credential], now: datetime) -> dict[str, WantedJob]:
    """The plan by live keys, and for guests the looks at doors that have not taken their PIN."""
    jobs = [*plan(holder.facts(credentials), now), *wanted_looks(holder, credentials, now)]
    return {holder.live_key(job.kind, job.lock_id): job for job in jobs}


def update_wishes(holder: Holder, credentials: list[Credential], *, now: datetime) -> None:
    """Carry the holder's facts into the wish of its credentials: should they be there, and from when to when.

    Only the wish is written: what a worker learns about the door in this very moment is not overwritten.
    """
    for credential, wish in _wishes(holder, credentials, now):
        note_new(credential, **wish)


def _wishes(
    holder: Holder, credentials: list[Credential], now: datetime
) -> Iterator[tuple[Credential, dict[str, Any]]]:
    """What the holder's facts make of each that is wanted or bridges; the rest is on its way out for good."""
    facts = holder.facts(credentials)
    for credential, known in zip(credentials, facts.credentials, strict=True):
        if credential.wanted:
            yield credential, _wish(holder, credential, now)
        elif credential.bridges:
            yield credential, _wish_of_bridge(credential, holder.ends_at, is_bridge(facts, known, now), now)


def _wish_of_bridge(credential: Credential, ends_at: datetime, is_needed: bool, now: datetime) -> dict[str, Any]:
    """It stays while it is needed, within the stay. Once it is not, it never becomes a bridge again."""
    held = credential.proven or credential.asked or credential.wish
    until = min(held.ends_at, ends_at)
    if not is_needed or until <= credential.starts_at:
        return {"bridges": False, "unwanted_at": now}
    return {"ends_at": until}


def _wish(holder: Holder, credential: Credential, now: datetime) -> dict[str, Any]:
    """After the first use only the end moves: the guest is inside.

    An end that is set for a time gone by ends the right now. Until now it was there, and nothing is late.
    """
    is_over = not (is_entitled(holder, now) or ran_its_course(holder, now))
    if is_over or credential.lock_id not in holder.locks:
        return {"wanted": False, "unwanted_at": now}
    used = credential.first_used_at is not None
    starts_at = min(credential.starts_at, holder.starts_at) if used else holder.starts_at
    return {"starts_at": starts_at, "ends_at": max(holder.ends_at, min(credential.ends_at, now))}


def align_jobs(
    subject: str, wanted: dict[str, tuple[Holder, WantedJob]], *, off: Collection[str], now: datetime
) -> None:
    """Schedule what is missing, move what is set for another time, call off what is not wanted any more."""
    known = list(_known_jobs(subject=subject))
    live = {job.live_key: job for job in known if job.is_live()}
    given_up = _given_up(known, off)
    missing = [
        (job.kind, _planned(key, holder, job, now))
        for key, (holder, job) in wanted.items()
        if _is_missing(live.pop(key, None), job, given_up=given_up(key, job), now=now)
    ]
    jobs.schedule_all(missing, now=now)
    stale = [job.pk for job in live.values()]
    if stale:
        jobs.cancel(Job.objects.filter(pk__in=stale), now=now, reason="Nobody is entitled to it any longer.")


def _given_up(known: Iterable[Job], off: Collection[str]) -> Callable[[str, WantedJob], bool]:
    """Whether a person has the say: the very same job failed for good, or stays off. Planning must not start it anew.

    Jobs that are wanted at once have no time of their own: for them it is the same as long as the same end is wanted.
    """
    failed = [job for job in known if not job.is_live()]
    at, at_once = {(job.live_key, job.due_at) for job in failed}, {(job.live_key, job.expires_at) for job in failed}
    return lambda key, job: key in off or ((key, job.due_at) in at if job.due_at else (key, job.expires_at) in at_once)


def _known_jobs(**which: Any) -> QuerySet[Job]:
    return Job.objects.filter(**which, kind__in=KINDS, state__in=[*Job.LIVE, Job.State.FAILED])


def _is_missing(existing: Job | None, wanted: WantedJob, *, given_up: bool, now: datetime) -> bool:
    """Whether a new job is to be written. One that is there and waits is moved, if its time is another."""
    if existing is None:
        return not given_up
    if _satisfies(existing, wanted, now):
        return False
    same = Job.objects.filter(pk=existing.pk)
    if existing.state == Job.State.SCHEDULED:
        jobs.reschedule(same, due_at=wanted.due_at or now, now=now, expires_at=wanted.expires_at)
        return False
    # It runs, for a time that is no longer right: its next check stops it.
    jobs.cancel(same, now=now, reason="The times changed while it ran.")
    return True


def _planned(key: str, holder: Holder, wanted: WantedJob, now: datetime) -> jobs.Planned:
    return jobs.Planned(
        due_at=wanted.due_at or now, subject=holder.subject, live_key=key, priority=holder.priority,
        payload={"lock": wanted.lock_id} | ({"slot": holder.slot} if holder.slot else {}), expires_at=wanted.expires_at,
    )  # fmt: skip


def _satisfies(existing: Job, wanted: WantedJob, now: datetime) -> bool:
    if wanted.expires_at != existing.expires_at:
        return False
    return existing.due_at <= now if wanted.due_at is None else existing.due_at == wanted.due_at
