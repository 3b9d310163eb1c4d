"""The first page of the admin site: who comes and goes in the next 36 hours, what waits for a person, and health."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from locks.models import Credential
from notifications.models import Notice
from reservations.models import Reservation
from scheduler import clock, queues
from scheduler.health import OVERDUE
from scheduler.models import Job, Queue
from smartlock import health
from webhooks.models import WebhookEvent

AHEAD = timedelta(hours=36)
BEHIND = timedelta(hours=12)
MOST = 50


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback. Shows each part only to those who may see it."""
    from smartlock.admin import words  # the pages need loaded models

    now = clock.now()
    if request.user.has_perm("reservations.view_reservation"):
        context["arrivals"] = [_row(stay, stay.check_in_at, words.pin(stay, now)) for stay in arrivals(now)]
        context["departures"] = [_row(stay, stay.check_out_at, words.pin(stay, now)) for stay in departures(now)]
        context["units"] = Reservation.objects.exists()
    if request.user.has_perm("scheduler.view_job"):
        report = health.queues(now=now)
        context["health"] = report
        context["sentence"] = _sentence(report)
        context["needs"] = needs(now)
    return context


def arrivals(now: datetime) -> list[Reservation]:
    """Confirmed stays that begin soon, and those that began without a proven PIN."""
    from smartlock.admin.words import with_doors

    proven = Credential.objects.filter(reservation=OuterRef("pk"), state=Credential.State.ON_LOCK)
    soon = Q(check_in_at__gt=now - BEHIND) | ~Exists(proven)
    stays = Reservation.objects.filter(
        soon, status__in=Reservation.CONFIRMED, check_out_at__gt=now, check_in_at__lt=now + AHEAD
    )
    return list(with_doors(stays).order_by("check_in_at")[:MOST])


def departures(now: datetime) -> list[Reservation]:
    """Stays that end soon or ended lately, and all whose PIN is still on a door afterwards."""
    from smartlock.admin.words import with_doors

    around = Q(check_out_at__range=(now - BEHIND, now + AHEAD), status__in=Reservation.CONFIRMED)
    there = Credential.objects.filter(removed_at__isnull=True, asked_at__isnull=False)
    left = there.filter(Q(wanted=False) | Q(ends_at__lte=now)).order_by("ends_at").values_list("reservation_id")
    behind = Q(pk__in=[pk for (pk,) in left[:MOST]])  # as numbers: a join would read every credential there ever was
    return list(with_doors(Reservation.objects.filter(around | behind)).order_by("check_out_at")[:MOST])


def waiting() -> dict[str, int]:
    """How much waits for a person, in four cheap counts; the sidebar shows them on every page."""
    return {
        "notices": Notice.objects.filter(seen_at__isnull=True).count(),
        "failed_jobs": Job.objects.filter(state=Job.State.FAILED).count(),
        "paused_queues": Queue.objects.filter(paused_at__isnull=False).count(),
        "parked_events": WebhookEvent.objects.filter(state=WebhookEvent.State.PARKED).count(),
        "failed_events": WebhookEvent.objects.filter(state=WebhookEvent.State.FAILED).count(),
    }


def needs(now: datetime) -> list[dict[str, str]]:
    """What waits for a person: a sentence, what to do, and where."""
    counts = waiting()
    overdue = _overdue(now)
    alarms = Credential.objects.filter(alarmed_at__isnull=False, removed_at__isnull=True).count()
    found = [
        (
            alarms, ngettext("%d door needs a person.", "%d doors need a person.", alarms), "locks_credential",
            "?alarmed_at__isnull=False&removed_at__isnull=True",
            _("See what the lock says; touch its keypad or change its batteries."),
        ),
        (
            counts["failed_jobs"], ngettext("%d job has failed.", "%d jobs have failed.", counts["failed_jobs"]),
            "scheduler_job", "?state__exact=failed", _("Read the error, mend its cause, then try again or clear."),
        ),
        (
            counts["paused_queues"],
            ngettext("%d queue is paused.", "%d queues are paused.", counts["paused_queues"]), "scheduler_queue", "",
            _("Its jobs wait until somebody resumes it."),
        ),
        (
            overdue, ngettext("%d job is overdue.", "%d jobs are overdue.", overdue), "scheduler_job",
            "?state__exact=scheduled&o=4", _("See whether the workers run (Flower) and Redis is connected."),
        ),
        (
            counts["parked_events"],
            ngettext("%d event is parked.", "%d events are parked.", counts["parked_events"]),
            "webhooks_webhookevent", "?state__exact=parked", _("Mend what its reason says, then replay it."),
        ),
        (
            counts["failed_events"],
            ngettext("%d event was given up.", "%d events were given up.", counts["failed_events"]),
            "webhooks_webhookevent", "?state__exact=failed", _("Mend what its reason says, then replay it."),
        ),
        (
            counts["notices"], ngettext("%d notice is unread.", "%d notices are unread.", counts["notices"]),
            "notifications_notice", "?seen_at__isempty=1", _("Read it, and mark it as seen."),
        ),
    ]  # fmt: skip
    return [
        {"text": text % count, "todo": todo, "url": reverse(f"admin:{page}_changelist") + query}
        for count, text, page, query, todo in found
        if count
    ]


def _overdue(now: datetime) -> int:
    """What waits in a paused queue is late because somebody wanted it so; the pause is told instead."""
    late = Job.objects.filter(state=Job.State.SCHEDULED, run_at__lt=now - OVERDUE)
    return late.exclude(queue__in=queues.paused()).count()


def _row(stay: Reservation, at: datetime, phrase: Any) -> dict[str, Any]:
    from smartlock.admin.base import moment, page_of

    unit = stay.accommodation
    return {
        "guest": page_of(stay, stay.guest_name or str(stay)), "unit": unit.name, "at": moment(at, unit.zone),
        "pin": phrase,
    }  # fmt: skip


def _sentence(report: dict[str, Any]) -> str:
    if not report["redis"]["connected"]:
        return _("Redis is not connected: nothing is handed to the workers until it is back. No job is lost.")
    if not report["dispatcher"]["ticking"]:
        return _("The dispatcher is silent: see whether the ticker and beat processes run. No job is lost.")
    if report["status"] == "degraded":
        return _("It works, but a queue has failed or overdue jobs.")
    return _("Everything works.")
