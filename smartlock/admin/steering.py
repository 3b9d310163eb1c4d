"""What an operator may ask of one job or of many. A list always asks on a page of its own and says how many they are;
some verbs need a word more than yes: another priority or time, over how long tries are spread.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from scheduler import clock, services
from scheduler.models import Job
from smartlock.admin.asking import AskingForm, Question, from_list, from_page
from smartlock.admin.base import actor, add_stays, answer

A_WEEK = 7 * 24 * 60


class WallClock(forms.DateTimeField):
    """A date and a time as they stand on a clock; which clock is asked beside it."""

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            moment: datetime | None = super().to_python(value)
        return None if moment is None else moment.replace(tzinfo=None)


class PriorityForm(AskingForm):
    priority = forms.IntegerField(
        label=capfirst(_("priority (1 high, 10 low)")),
        min_value=1,
        max_value=10,
        initial=5,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class WhenForm(AskingForm):
    at = WallClock(
        label=capfirst(_("date and time")), widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
    )
    by = forms.ChoiceField(
        label=capfirst(_("by the clock of")), widget=UnfoldAdminSelectWidget,
        choices=[("property", _("each property")), ("site", settings.TIME_ZONE)],
    )  # fmt: skip


class SpreadForm(AskingForm):
    minutes = forms.IntegerField(
        label=capfirst(_("minutes")), min_value=1, max_value=A_WEEK, initial=30, widget=UnfoldAdminIntegerFieldWidget
    )


class Steering:
    """The actions; ``JobPage`` has them."""

    def _cancel(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        who = actor(request)
        with transaction.atomic():
            gone = services.cancel(plain(jobs), now=clock.now(), actor=who, reason=f"Called off by {who}.")
        done = ngettext("%(count)d job was called off.", "%(count)d jobs were called off.", gone)
        answer(request, gone, done % {"count": gone}, _("These jobs are over: there is nothing to call off."))

    def _retry(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        with transaction.atomic():
            revived = services.retry(plain(jobs), now=clock.now(), actor=actor(request))
        done = ngettext("%(count)d job is tried again.", "%(count)d jobs are tried again.", revived)
        answer(
            request, revived, done % {"count": revived},
            _("Only failed or cancelled jobs that no newer one has replaced can be tried again."),
        )  # fmt: skip

    def _run_now(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        with transaction.atomic():
            moved = services.run_now(plain(jobs), now=clock.now(), actor=actor(request))
        done = ngettext("%(count)d job runs now.", "%(count)d jobs run now.", moved)
        answer(request, moved, done % {"count": moved}, _("Only scheduled jobs can be run before their time."))

    def _clear_failed(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        with transaction.atomic():
            cleared = services.clear_failed(plain(jobs), actor=actor(request))
        done = ngettext("%(count)d failed job was cleared.", "%(count)d failed jobs were cleared.", cleared)
        answer(request, cleared, done % {"count": cleared}, _("None of these jobs has failed: nothing was cleared."))

    def _change_priority(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        with transaction.atomic():
            changed = services.change_priority(
                plain(jobs), form.cleaned_data["priority"], now=clock.now(), actor=actor(request)
            )
        done = ngettext("%(count)d job has a new priority.", "%(count)d jobs have a new priority.", changed)
        answer(request, changed, done % {"count": changed}, _("Only scheduled jobs can be given another priority."))

    def _reschedule(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        now = clock.now()
        times = _times(plain(jobs), form.cleaned_data["at"], by_property=form.cleaned_data["by"] == "property")
        if any(at < now for at in times):
            messages.warning(request, _("This time is over. To start jobs at once, use “Run now”."))
            return
        with transaction.atomic():
            moved = sum(
                services.reschedule(Job.objects.filter(pk__in=ids), due_at=at, now=now, actor=actor(request))
                for at, ids in times.items()
            )
        done = ngettext("%(count)d job has a new time.", "%(count)d jobs have a new time.", moved)
        answer(request, moved, done % {"count": moved}, _("Only scheduled jobs can be given another time."))

    def _retry_spread(self, request: HttpRequest, jobs: QuerySet[Job], form: AskingForm) -> None:
        spread = timedelta(minutes=form.cleaned_data["minutes"])
        with transaction.atomic():
            revived = services.retry(plain(jobs), now=clock.now(), actor=actor(request), spread=spread)
        done = ngettext("%(count)d job is tried again.", "%(count)d jobs are tried again.", revived)
        answer(
            request, revived, done % {"count": revived},
            _("Only failed or cancelled jobs that no newer one has replaced can be tried again."),
        )  # fmt: skip

    CANCEL = Question(
        "_cancel", _("Cancel"), _("Call off? After that, no new effect begins."), AskingForm,
        icon="event_busy",
    )  # fmt: skip
    RETRY = Question(
        "_retry", _("Try again"), _("Try at once, with a full set of tries?"), AskingForm,
        icon="restart_alt",
    )  # fmt: skip
    NOW = Question(
        "_run_now", _("Run now"), _("Run at once instead of at the set time?"), AskingForm, icon="play_arrow",
    )  # fmt: skip
    CLEAR = Question(
        "_clear_failed", _("Clear failed"),
        _("Remove those of these jobs that have failed, with their tries? The audit trail keeps the count."),
        AskingForm, icon="delete_sweep",
    )  # fmt: skip
    PRIORITY = Question(
        "_change_priority", _("Change priority"), _("Which of the jobs that are due together goes first?"),
        PriorityForm, icon="low_priority",
    )  # fmt: skip
    WHEN = Question(
        "_reschedule", _("Reschedule"), _("When shall it be done instead? Its tries start afresh."), WhenForm,
        icon="edit_calendar",
    )  # fmt: skip
    SPREAD = Question(
        "_retry_spread", _("Try again, spread out"),
        _("Over how many minutes shall the tries be laid evenly, the most urgent first?"), SpreadForm,
        icon="waterfall_chart",
    )  # fmt: skip
    cancel, retry = from_list("cancel", CANCEL), from_list("retry", RETRY)
    run_now, clear_failed = from_list("run_now", NOW), from_list("clear_failed", CLEAR)
    cancel_here, retry_here = from_page("cancel", CANCEL), from_page("retry", RETRY)
    run_now_here = from_page("run_now", NOW)
    change_priority = from_list("change_priority", PRIORITY)
    change_priority_here = from_page("change_priority", PRIORITY)
    reschedule = from_list("reschedule", WHEN)
    reschedule_here = from_page("reschedule", WHEN)
    retry_spread = from_list("retry_spread", SPREAD)


def plain(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """The chosen rows without the list's order, joins and annotations: services update them in one statement."""
    return Job.objects.filter(pk__in=list(jobs.order_by().values_list("pk", flat=True)))


def _times(jobs: QuerySet[Job], at: datetime, *, by_property: bool) -> dict[datetime, list[int]]:
    """The moment meant for each job: the same time of day may be another instant at another property."""
    rows: list[Any] = list(jobs)
    if by_property:
        add_stays(rows)
    site = timezone.get_default_timezone()
    times: dict[datetime, list[int]] = {}
    for job in rows:
        zone = job.stay.accommodation.zone if by_property and job.stay else site
        times.setdefault(at.replace(tzinfo=zone).astimezone(UTC), []).append(job.pk)
    return times
