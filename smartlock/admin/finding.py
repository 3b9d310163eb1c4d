"""How jobs are found among a million: by whom or what they are about, by state, kind and queue."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter

from locks.models import Lock
from reservations import services
from reservations.models import Accommodation, Reservation
from scheduler import kinds, overview, queues
from scheduler.models import Job
from smartlock.admin import words

MOST_STAYS = 500  # of those that a name fits, the latest


class KindFilter(SimpleListFilter):
    """The kinds that are declared: asking the table for those that occur would read all of it."""

    title, parameter_name = gettext_lazy("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((name, words.kind(name)) for name in kinds.names()), key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class QueueFilter(SimpleListFilter):
    title, parameter_name = gettext_lazy("queue"), "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in queues.NAMES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(queue=self.value()) if self.value() else queryset


class Between(RangeDateTimeFilter):  # type: ignore[misc]  # Unfold has no types
    """From one time to another by the site's clock; a day without a time is all of that day.

    What cannot be read finds nothing. Unfold's own finds everything then, and takes the form's local way of writing a
    date for one that cannot be read: with "choose all, replay" that would be another range than the one on the page.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, start_or_end in ((f"{self.parameter_name}_from", "00:00"), (f"{self.parameter_name}_to", "23:59:59")):
            if self.used_parameters.get(f"{name}_0") and not self.used_parameters.get(f"{name}_1"):
                self.used_parameters[f"{name}_1"] = start_or_end

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        form = self.form_class(name=self.parameter_name, data=self.used_parameters)
        if not form.is_valid():
            return queryset.none()
        ends = {"gte": form.cleaned_data[f"{self.parameter_name}_from"],
                "lte": form.cleaned_data[f"{self.parameter_name}_to"]}  # fmt: skip
        return queryset.filter(**{f"{self.parameter_name}__{end}": at for end, at in ends.items() if at})


def matching(jobs: QuerySet[Job], text: str) -> QuerySet[Job]:
    """The jobs about what a person typed: a job's number, a subject, a reservation's id in any form, a guest, a unit,
    a lock, or a kind in words. The first of these that fits decides.
    """
    text = text.strip()
    if not text or "\x00" in text:
        return jobs if not text else jobs.none()
    if found := _by_reference(jobs, text):
        return found
    named = [name for name in kinds.names() if text.lower() in (name + " " + words.kind(name)).lower()]
    if named:
        return jobs.filter(kind__in=named)
    return jobs.filter(~Q(subject=""), subject__in=_subjects(text))  # said aloud: the index leaves blanks out


def _by_reference(jobs: QuerySet[Job], text: str) -> QuerySet[Job] | None:
    """By something that means one thing only; a bare number may be a job's and a reservation's."""
    subject = text if ":" in text else ""
    if stay := services.lookup(text):
        subject = stay.subject
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    if number is not None:
        return jobs.filter(Q(pk=number) | (~Q(subject="") & Q(subject=subject or f"reservation:{number}")))
    return jobs.filter(~Q(subject=""), subject=subject) if subject else None


def _subjects(text: str) -> list[str]:
    """What jobs about this guest, unit or lock have as their subject."""
    locks = list(Lock.objects.filter(Q(name__icontains=text) | Q(device_id=text)).values_list("pk", flat=True)[:100])
    units = Accommodation.objects.filter(Q(name__icontains=text) | Q(locks__in=locks))
    stays = Reservation.objects.filter(
        Q(guest_name__icontains=text) | Q(accommodation_id__in=list(units.values_list("pk", flat=True)))
    )
    latest = stays.order_by("-check_in_at").values_list("pk", flat=True)[:MOST_STAYS]
    return [f"reservation:{pk}" for pk in latest] + [f"lock:{pk}" for pk in locks]


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """One per state, with how many there are of it in all. What else is filtered stays; the page number does not."""
    counts, chosen = overview.states(), request.GET.get("state__exact", "")
    return [
        {"text": text, "count": _count(counts[state]) if state else "", "is_here": state == chosen,
         "tone": words.JOB_TONES[Job.State(state)] if state else "", "url": _url(request, state)}
        for state, text in [("", _("all")), *Job.State.choices]
    ]  # fmt: skip


def _count(count: int) -> str:
    over = count > overview.COUNTED
    return number_format(min(count, overview.COUNTED), force_grouping=True) + ("+" if over else "")


def _url(request: HttpRequest, state: str) -> str:
    query = request.GET.copy()
    for name in ("state__exact", "p", "all"):
        query.pop(name, None)
    if state:
        query["state__exact"] = state
    return "?" + query.urlencode()
