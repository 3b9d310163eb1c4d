"""What sets the telling in motion: doors and bookings that change for the guests, trouble for the operators."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from locks.models import Credential, Lock, LockIncident
from locks.plan import KINDS
from locks.signals import (
    account_changed,
    credential_changed,
    door_needs_help,
    lock_needs_help,
    lock_recovered,
    quota_nearly_used,
    way_in_changed,
)
from notifications import details, lock_notices, notices
from notifications.planning import TELL_GUEST, plan_telling, plan_tellings
from reservations.models import Reservation
from reservations.signals import stays_overlap
from scheduler import clock
from scheduler.due import Due
from scheduler.models import Job
from scheduler.signals import job_failed, job_slowed, jobs_ended


@receiver(credential_changed)
def door_changed(credential: Credential, settled: bool, **_: Any) -> None:
    """Planned after the commit: the sender holds the credential's row, and the plan locks the reservation first.

    Should the process die in between, the end of the job at the door plans it once more (``jobs_of_stays_ended``).
    """
    stay = credential.reservation_id
    if stay is None or not settled:  # the digits of staff are shown to an operator, backups are nobody's yet
        return
    transaction.on_commit(lambda: plan_telling(stay, now=clock.now()), robust=True)


@receiver(post_save, sender=Reservation)
def stay_saved(instance: Reservation, **_: Any) -> None:
    """Cancelled, other dates, another e-mail address. ``locks`` has carried the facts to its credentials before."""
    plan_telling(instance.pk, now=clock.now())


@receiver(jobs_ended)
def jobs_of_stays_ended(jobs: list[Due], **_: Any) -> None:
    """What changed while a job ran, at the door or here, was not seen by it: look once more.

    In the commit that ends the jobs, so that no death comes in between; only where somebody holds the stay just now,
    after it: the jobs' rows are held here, and a change of the stay waits for them.
    """
    subjects = {job.subject.partition(":") for job in jobs if job.kind in (*KINDS, TELL_GUEST)}
    stays = {int(number) for word, _, number in subjects if word == "reservation"}
    held = plan_tellings(stays, now=clock.now(), skip_held=True)
    if held:
        transaction.on_commit(lambda: plan_tellings(held, now=clock.now()), robust=True)


@receiver(job_failed)
def job_given_up(job: Job, error: str, **_: Any) -> None:
    notices.about_job(job, error, now=clock.now())


@receiver(job_slowed)
def job_tried_seldom(job: Job, error: str, **_: Any) -> None:
    notices.about_slow_job(job, error, now=clock.now())


@receiver(door_needs_help)
def door_calls(credential: Credential, code: str, text: str, until: datetime | None = None, **_: Any) -> None:
    detail = details.of_door(credential, code, text, until)
    notices.about_door(code, credential, detail=detail, now=clock.now())


@receiver(account_changed)
def account_paused(provider: str, is_open: bool, reason: str, **_: Any) -> None:
    if is_open:
        notices.about_account("account_paused", provider, detail=details.of_record(reason), now=clock.now())


@receiver(quota_nearly_used)
def quota_runs_out(provider: str, percent: int, calls: int, quota: int, **_: Any) -> None:
    detail = details.of_calls(calls, quota)
    notices.about_account(f"account_quota.{percent}", provider, detail=detail, now=clock.now())


@receiver(way_in_changed)
def another_way_in(
    reservation: Reservation, lock: Lock, code: str, detail: str, until: datetime | None = None, **_: Any
) -> None:  # fmt: skip
    known = details.of_moment(until, reservation.accommodation) if until else details.of_lock(lock, code, detail)
    notices.about_way_in(code, reservation, lock, detail=known, now=clock.now())


@receiver(stays_overlap)
def double_booking(reservation: Reservation, others: list[Reservation], **_: Any) -> None:
    notices.about_overlap(reservation, others, now=clock.now())


@receiver(lock_needs_help)
def lock_calls(incident: LockIncident, facts: dict[str, Any], **_: Any) -> None:
    lock_notices.about_incident(incident, facts, now=clock.now())


@receiver(lock_recovered)
def lock_is_well(incident: LockIncident, **_: Any) -> None:
    lock_notices.about_recovery(incident, now=clock.now())
