"""What an operator can do for one stay beside planning it: try again, run now, new digits, write again, replay.

The first page's buttons are these, so each asks its question before it acts.
"""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from locks import planning
from locks.plan import REVOKE
from notifications import resend as telling
from reservations.models import Reservation
from scheduler import clock
from scheduler import services as jobs
from scheduler.models import Job
from smartlock.admin.base import actor, answer, button
from smartlock.people.roles import CHANGE_EVENT, CHANGE_MESSAGE
from webhooks import services as webhooks
from webhooks.models import WebhookEvent

State = Job.State


class Mending:
    """The actions; ``ReservationPage`` has them."""

    def has_tell_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(CHANGE_MESSAGE)

    def has_replay_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(CHANGE_EVENT)

    def retry_jobs(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        done = jobs.retry(_jobs(queryset).filter(state=State.FAILED), now=clock.now(), actor=actor(request))
        text = ngettext("%(count)d job is tried again.", "%(count)d jobs are tried again.", done)
        answer(request, done, text % {"count": done}, _("No job of this stay has failed."))

    def run_now(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        """Never a removal whose time has not come: the guest is inside."""
        now = clock.now()
        early = Q(kind=REVOKE, due_at__gt=now)
        done = jobs.run_now(_jobs(queryset).filter(state=State.SCHEDULED).exclude(early), now=now, actor=actor(request))
        text = ngettext("%(count)d job runs now.", "%(count)d jobs run now.", done)
        answer(request, done, text % {"count": done}, _("Nothing of this stay waits to be done."))

    def new_pin(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        now = clock.now()
        count = sum(planning.renew(stay.pk, now=now, actor=actor(request)) for stay in queryset)
        text = ngettext(
            "%(count)d PIN goes, and new digits are chosen.", "%(count)d PINs go, and new digits are chosen.", count
        )
        nothing = _("No PIN was made for this stay yet, or the stay is not entitled to one.")
        answer(request, count, text % {"count": count}, nothing)

    def resend(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        if sum(telling.resend(stay.pk, now=clock.now(), actor=actor(request)) for stay in queryset):
            messages.success(request, _("The guest is written to again."))
        else:
            messages.warning(request, _("There is nothing to tell yet: the guest is written to when there is a PIN."))

    def replay(self, request: HttpRequest, queryset: QuerySet[Reservation]) -> None:
        names = [stay.external_id for stay in queryset if stay.external_id]
        events = WebhookEvent.objects.filter(external_id__in=names)
        done = webhooks.replay(events, now=clock.now(), actor=actor(request))
        text = ngettext("%(count)d event is processed again.", "%(count)d events are processed again.", done)
        answer(request, done, text % {"count": done}, _("No event of this stay has come in."))

    retry_jobs_here = button(
        "retry_jobs", _("Try again"), _("Try the failed jobs of this stay again, at once?"), icon="refresh"
    )
    run_now_here = button(
        "run_now", _("Run now"),
        _("Do at once what waits to be done for this stay? A PIN that opens until check-out is not taken off."),
        icon="play_arrow",
    )  # fmt: skip
    new_pin_here = button(
        "new_pin", _("New PIN"),
        _("Choose other digits? The present PIN stops working, and the guest is told the new one."),
        icon="password", permission="revoke",
    )  # fmt: skip
    resend_here = button(
        "resend", _("Write to the guest again"), _("Send the guest once more what is true now: the PIN and its times?"),
        icon="forward_to_inbox", permission="tell",
    )  # fmt: skip
    replay_here = button(
        "replay", _("Replay"), _("Process all events of this stay once more? It is safe: the last known facts win."),
        icon="replay", permission="replay",
    )  # fmt: skip


def _jobs(stays: QuerySet[Reservation]) -> QuerySet[Job]:
    return Job.objects.filter(subject__in=[stay.subject for stay in stays])
