"""Keeps one job per stay that tells the guest what she does not know yet. Running it twice changes nothing.

It locks the reservation first and the job last, in the order of ``locks.planning``; so a caller must hold no
credential's row: ``receivers`` calls it after such a commit.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from locks.holders import stay_end, with_fallback
from notifications import keep
from notifications.decide import due_at
from notifications.models import Message
from notifications.outlook import Outlook, look, patience
from reservations.models import Reservation
from scheduler import services as jobs
from scheduler.models import Job

TELL_GUEST = "notifications.tell_guest"


@transaction.atomic(savepoint=False)
def plan_telling(reservation_id: int, *, now: datetime) -> None:
    """Schedule, move or call off the stay's message, by the last known facts."""
    reservation = _locked(reservation_id)
    if reservation is None:
        return
    outlook = look(reservation, now=now)
    live = Job.objects.filter(live_key=live_key(reservation_id), state__in=Job.LIVE).first()
    if live is not None and live.state == Job.State.RUNNING:
        return  # it reads the facts itself, and its end brings us here again
    if outlook.template is None or _waits_for_a_person(outlook, live):
        if live is not None:
            jobs.cancel(Job.objects.filter(pk=live.pk), now=now, reason="There is nothing to tell the guest.")
    else:
        _align(outlook, live, now=now)
    if outlook.template is None:
        keep.erase_delivered(outlook)


def live_key(reservation_id: int) -> str:
    return f"{TELL_GUEST}:reservation:{reservation_id}"


def _locked(reservation_id: int) -> Reservation | None:
    """The row alone is locked, not the unit that is read along with it."""
    rows = Reservation.objects.select_for_update(of=("self",), no_key=True).select_related("accommodation")
    return with_fallback(rows).filter(pk=reservation_id).first()


def _waits_for_a_person(outlook: Outlook, live: Job | None) -> bool:
    """This very message was given up: no usable address, or its job lies on the dead-letter shelf."""
    last = outlook.last
    if last is None or not outlook.is_about(last):
        return False
    if last.state == Message.State.SKIPPED:
        return True
    shelf = Job.objects.filter(live_key=live_key(outlook.reservation.pk), state=Job.State.FAILED)
    return live is None and last.state != Message.State.SENT and shelf.filter(finished_at__gte=last.created_at).exists()


def _align(outlook: Outlook, live: Job | None, *, now: datetime) -> None:
    assert outlook.template is not None
    reservation, ends_at = outlook.reservation, stay_end(outlook.reservation)
    due = due_at(outlook.template, outlook.truth, now=now, patience=patience())
    if live is None:
        jobs.schedule(
            TELL_GUEST, subject=reservation.subject, live_key=live_key(reservation.pk),
            due_at=due, now=now, expires_at=ends_at,
        )  # fmt: skip
    elif not _satisfies(live, outlook, due, now=now):
        jobs.reschedule(Job.objects.filter(pk=live.pk), due_at=due, now=now, expires_at=ends_at)


def _satisfies(live: Job, outlook: Outlook, due: datetime, *, now: datetime) -> bool:
    """Whether the job may stay as it is: one that comes sooner may, and one that backs off for this same message."""
    if live.expires_at != stay_end(outlook.reservation):
        return False
    if live.attempt:
        return outlook.is_about(outlook.last)
    if due <= now:
        return live.due_at <= now
    return outlook.truth.check_in_at - patience() <= live.due_at <= due
