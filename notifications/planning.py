"""Keeps one job per stay that tells the guest what she does not know yet. Running it twice changes nothing.

It locks the reservation first and the job last, in the order of ``locks.planning``; so a caller must hold no
credential's row, and one that holds a job's must not wait for the stay: ``receivers`` sees to both.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from locks.holders import stay_end, with_fallback
from notifications import keep
from notifications.decide import due_at
from notifications.models import Message
from notifications.outlook import Outlook, look_all, patience
from reservations.models import Reservation
from scheduler import services as jobs
from scheduler.models import Job

TELL_GUEST = "notifications.tell_guest"


def plan_telling(reservation_id: int, *, now: datetime) -> None:
    """Schedule, move or call off the stay's message, by the last known facts."""
    plan_tellings([reservation_id], now=now)


@transaction.atomic(savepoint=False)
def plan_tellings(reservation_ids: Iterable[int], *, now: datetime, skip_held: bool = False) -> set[int]:
    """The same for some stays, with a few statements for all of them.

    ``skip_held`` is for a caller that holds the rows of jobs: whoever holds a stay may be about to wait for its jobs,
    so waiting for the stay here would be a deadlock. Returns those that were left out.
    """
    wanted = set(reservation_ids)
    stays = _locked(wanted, skip_held) if wanted else []
    if stays:
        _plan_all(stays, now)
    return wanted - {stay.pk for stay in stays}


def _plan_all(stays: list[Reservation], now: datetime) -> None:
    keys = [live_key(stay.pk) for stay in stays]
    live = {job.live_key: job for job in Job.objects.filter(live_key__in=keys, state__in=Job.LIVE)}
    plans = [_plan(outlook, live.get(live_key(outlook.reservation.pk)), now) for outlook in look_all(stays, now=now)]
    jobs.schedule_all([(TELL_GUEST, missing) for missing in plans if missing is not None], now=now)


def _plan(outlook: Outlook, live: Job | None, now: datetime) -> jobs.Planned | None:
    """Move or call off the message's job; returns the one that is missing, if one is."""
    if live is not None and live.state == Job.State.RUNNING:
        return None  # it reads the facts itself, and its end brings us here again
    if outlook.template is None:
        keep.erase_delivered(outlook)
    if outlook.template is not None and not _waits_for_a_person(outlook, live):
        return _align(outlook, live, now=now)
    if live is not None:
        jobs.cancel(Job.objects.filter(pk=live.pk), now=now, reason="There is nothing to tell the guest.")
    return None


def live_key(reservation_id: int) -> str:
    return f"{TELL_GUEST}:reservation:{reservation_id}"


def _locked(reservation_ids: Iterable[int], skip_held: bool) -> list[Reservation]:
    """The rows alone are locked, not the units that are read along with them; in one order, so that two never wait for
    each other.
    """
    rows = Reservation.objects.select_for_update(of=("self",), no_key=True, skip_locked=skip_held)
    return list(with_fallback(rows.select_related("accommodation")).filter(pk__in=reservation_ids).order_by("pk"))


def _waits_for_a_person(outlook: Outlook, live: Job | None) -> bool:
    """This very message was given up: no usable address, or its job lies on the dead-letter shelf."""
    last = outlook.last
    if last is None or not outlook.is_about(last):
        return False
    if last.state == Message.State.SKIPPED:
        return True
    shelf = Job.objects.filter(live_key=live_key(outlook.reservation.pk), state=Job.State.FAILED)
    return live is None and last.state != Message.State.SENT and shelf.filter(finished_at__gte=last.created_at).exists()


def _align(outlook: Outlook, live: Job | None, *, now: datetime) -> jobs.Planned | None:
    assert outlook.template is not None
    reservation, ends_at = outlook.reservation, stay_end(outlook.reservation)
    due = due_at(outlook.template, outlook.truth, now=now, patience=patience())
    if live is None:
        return jobs.Planned(due, reservation.subject, live_key(reservation.pk), expires_at=ends_at)
    if not _satisfies(live, outlook, due, now=now):
        jobs.reschedule(Job.objects.filter(pk=live.pk), due_at=due, now=now, expires_at=ends_at)
    return None


def _satisfies(live: Job, outlook: Outlook, due: datetime, *, now: datetime) -> bool:
    """Whether the job may stay as it is: one that comes sooner may, and one that backs off for this same message."""
    if live.expires_at != stay_end(outlook.reservation):
        return False
    if live.attempt:
        return outlook.is_about(outlook.last)
    if due <= now:
        return live.due_at <= now
    return outlook.truth.check_in_at - patience() <= live.due_at <= due
