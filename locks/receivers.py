"""Replans a stay whenever something it depends on has changed: the one way by which jobs at doors come about.

And writes down what a lock told by itself.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from locks.backups import plan_pool
from locks.complaints import record_events
from locks.models import AccommodationLock, Lock, Opening, StaffCode
from locks.openings import record_openings
from locks.plan import KINDS
from locks.planning import look_again, replan, replan_subject
from locks.provider import DoorAlarm, DoorOpening
from locks.signals import door_alarmed, door_opened
from reservations.models import Reservation
from reservations.signals import guests_erased
from scheduler import clock
from scheduler import services as jobs
from scheduler.due import Due
from scheduler.models import Job
from scheduler.signals import jobs_ended


@receiver(post_save, sender=Reservation)
def stay_saved(instance: Reservation, **_: Any) -> None:
    replan(instance.pk, now=clock.now())


@receiver(post_delete, sender=Reservation)
def stay_deleted(instance: Reservation, **_: Any) -> None:
    """The row itself is gone (only possible while no credential hangs on it): so are its jobs."""
    pending = Job.objects.filter(subject=f"reservation:{instance.pk}", state__in=Job.LIVE)
    jobs.cancel(pending, now=clock.now(), reason="The reservation was deleted.")


@receiver([post_save, post_delete], sender=AccommodationLock)
def doors_of_unit_changed(instance: AccommodationLock, **_: Any) -> None:
    _replan_current(
        stays=Q(accommodation=instance.accommodation_id), codes=Q(accommodations=instance.accommodation_id)
    )  # fmt: skip
    plan_pool(instance.lock_id, now=clock.now())


@receiver(post_save, sender=Lock)
def lock_saved(instance: Lock, created: bool, **_: Any) -> None:
    """Its lead time may be another one."""
    if not created:
        _replan_current(
            stays=Q(accommodation__locks=instance), codes=Q(locks=instance) | Q(accommodations__locks=instance)
        )  # fmt: skip
        plan_pool(instance.pk, now=clock.now())


@receiver(jobs_ended)
def jobs_at_doors_ended(jobs: list[Due], **_: Any) -> None:
    """The wish may have changed while a job ran; looking once more is what makes the end state right.

    After the commit: the jobs' rows are held here, and planning takes the reservation first. Should the process die in
    between, ``replan_after_jobs`` looks again within the minute.
    """
    subjects = {job.subject for job in jobs if job.kind in KINDS}
    if subjects:
        transaction.on_commit(lambda: look_again(subjects, now=clock.now()))


def _replan_current(*, stays: Q, codes: Q) -> None:
    now = clock.now()
    for pk in Reservation.objects.filter(stays, check_out_at__gt=now).values_list("pk", flat=True).distinct():
        replan(pk, now=now)
    for pk in StaffCode.objects.filter(codes, ends_at__gt=now).values_list("pk", flat=True).distinct():
        replan_subject(f"staff:{pk}", now=now)


@receiver(guests_erased)
def forget_names(reservations: list[Reservation], **_: Any) -> int:
    """When a door was opened and with which of our PINs stays; what the lock calls whoever did it goes."""
    return Opening.objects.filter(credential__reservation__in=reservations).exclude(name="").update(name="")


@receiver(door_opened)
def door_told_of_an_opening(lock: Lock, opening: DoorOpening, **_: Any) -> None:
    record_openings(lock, [opening], now=clock.now())


@receiver(door_alarmed)
def door_complained(lock: Lock, alarm: DoorAlarm, **_: Any) -> None:
    record_events(lock, [alarm], now=clock.now())
