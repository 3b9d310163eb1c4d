"""The first page of the admin site: tonight (``smartlock.tonight``), what waits for a person, and health."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from locks.models import Credential
from notifications.models import Notice
from scheduler import clock, queues
from scheduler.health import OVERDUE
from scheduler.models import Job, Queue
from smartlock import health
from smartlock.tonight import views
from smartlock.tonight.board import board
from smartlock.tonight.parts import asked
from webhooks.models import WebhookEvent


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's dashboard callback. Shows each part only to those who may see it."""
    now = clock.now()
    if request.user.has_perm(views.SEE):
        context["tonight"] = board(now, may=request.user.has_perm, wanted=asked(request.GET))
    if request.user.has_perm("scheduler.view_job"):
        report = health.queues(now=now)
        context["health"] = report
        context["sentence"] = _sentence(report)
        context["needs"] = needs(now)
    return context


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
            "scheduler_job", "?state__exact=failed",
            ngettext(
                "Read the error, mend its cause, then try again or clear.",
                "Read the errors, mend their causes, then try again or clear.", counts["failed_jobs"],
            ),
        ),
        (
            counts["paused_queues"],
            ngettext("%d queue is paused.", "%d queues are paused.", counts["paused_queues"]), "scheduler_queue", "",
            ngettext(
                "Its jobs wait until somebody resumes it.", "Their jobs wait until somebody resumes them.",
                counts["paused_queues"],
            ),
        ),
        (
            overdue, ngettext("%d job is overdue.", "%d jobs are overdue.", overdue), "scheduler_job",
            "?state__exact=scheduled&o=4", _("See whether the workers run (Flower) and Redis is connected."),
        ),
        (
            counts["parked_events"],
            ngettext("%d event is parked.", "%d events are parked.", counts["parked_events"]),
            "webhooks_webhookevent", "?state__exact=parked", _replay(counts["parked_events"]),
        ),
        (
            counts["failed_events"],
            ngettext("%d event was given up.", "%d events were given up.", counts["failed_events"]),
            "webhooks_webhookevent", "?state__exact=failed", _replay(counts["failed_events"]),
        ),
        (
            counts["notices"], ngettext("%d notice is unread.", "%d notices are unread.", counts["notices"]),
            "notifications_notice", "?seen_at__isempty=1",
            ngettext("Read it, and mark it as seen.", "Read them, and mark them as seen.", counts["notices"]),
        ),
    ]  # fmt: skip
    return [
        {"text": text % count, "todo": todo, "url": reverse(f"admin:{page}_changelist") + query}
        for count, text, page, query, todo in found
        if count
    ]


def _replay(events: int) -> str:
    return ngettext(
        "Mend what its reason says, then replay it.", "Mend what their reasons say, then replay them.", events
    )


def _overdue(now: datetime) -> int:
    """What waits in a paused queue is late because somebody wanted it so; the pause is told instead."""
    late = Job.objects.filter(state=Job.State.SCHEDULED, run_at__lt=now - OVERDUE)
    return late.exclude(queue__in=queues.paused()).count()


def _sentence(report: dict[str, Any]) -> str:
    if not report["redis"]["connected"]:
        return _("Redis is not connected: nothing is handed to the workers until it is back. No job is lost.")
    if not report["dispatcher"]["ticking"]:
        return _("The dispatcher is silent: see whether the ticker and beat processes run. No job is lost.")
    if report["status"] == "degraded":
        return _("It works, but a queue has failed or overdue jobs, or is paused while due jobs wait in it.")
    return _("Everything works.")
