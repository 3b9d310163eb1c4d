"""What all pages share: typed access to Unfold, rows that only machines write, times, links, buttons."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action as unfold_action
from unfold.decorators import display as unfold_display

from locks.models import Lock
from reservations.errors import BadReservation
from reservations.models import Reservation
from smartlock.admin import words
from smartlock.admin.paging import LongList, Searched

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, TabularInline

    Page = ModelAdmin[Any]
    Inline = TabularInline[Any, Any]
else:
    from unfold.admin import ModelAdmin as Page
    from unfold.admin import TabularInline as Inline

F = TypeVar("F", bound=Callable[..., Any])
DASH = "–"
# The subject of a job or an audit entry is "<word>:<number>"; these words have a page.
PAGES = {
    "reservation": "admin:reservations_reservation_change",
    "accommodation": "admin:reservations_accommodation_change",
    "lock": "admin:locks_lock_change",
    "staff": "admin:locks_staffcode_change",
    "event": "admin:webhooks_webhookevent_change",
    "job": "admin:scheduler_job_change",
}


class MachinePage(LongList, Page):
    """Rows that only the machine writes: to be read, never added, edited or deleted by hand."""

    actions_detail_hide_default = True  # Django's history of edits is empty here; the audit trail has it all

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MachineInline(Inline):
    """The same as part of another page."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def column(title: Any, **options: Any) -> Callable[[F], F]:
    """Unfold's ``display``, typed."""
    return cast("Callable[[F], F]", unfold_display(description=title, **options))


def fact(name: str, title: Any) -> Any:
    """A field as it is, under a title in the operator's language."""

    def show(page: Any, row: Any) -> object:
        value = getattr(row, name)
        return DASH if value in ("", None) else value

    return column(title, ordering=name)(show)


class WithStays(Searched):
    """Gives each row of a list of jobs, entries or notices the stay and the lock it is about, in one query each."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        add_stays(self.result_list)
        add_doors(self.result_list)


def add_stays(rows: list[Any]) -> None:
    ids = numbers((row.subject for row in rows), "reservation")
    stays = Reservation.objects.select_related("accommodation").in_bulk(ids)
    for row in rows:
        row.stay = next((stays.get(number) for number in numbers([row.subject], "reservation")), None)


def add_doors(rows: list[Any]) -> None:
    """The lock that a row is about, or at which a job of a stay acts: a stay may have several."""
    found = {row.pk: [*numbers([row.subject], "lock"), *_lock_of(row)] for row in rows}
    doors = Lock.objects.in_bulk({number for some in found.values() for number in some})
    for row in rows:
        row.door = next((doors[number] for number in found[row.pk] if number in doors), None)


def _lock_of(row: Any) -> list[int]:
    payload = getattr(row, "payload", None)
    number = payload.get("lock") if isinstance(payload, dict) else None
    return [number] if isinstance(number, int) else []


class AboutStays(MachinePage):
    """A page of rows with a ``subject``: a stay shows its guest and its property's clock, a lock its name."""

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[Any]:
        return WithStays

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            add_stays([row])
            add_doors([row])
        return row

    @column(_("about"), ordering="subject")
    def about(self, row: Any) -> SafeString | str:
        named = row.stay or (row.door if row.subject.startswith("lock:") else None)
        return subject_link(row.subject, str(named) if named else "")

    @staticmethod
    def at(row: Any, at: datetime | None) -> SafeString | str:
        return moment(at, row.stay.accommodation.zone if row.stay else None)


def verb(title: Any, permission: str = "operate") -> Callable[[F], F]:
    """An action on the rows chosen in a list; ``permission`` names a ``has_…_permission`` of the page."""
    return cast("Callable[[F], F]", unfold_action(description=title, permissions=[permission]))


def button(name: str, title: Any, question: Any, *, icon: str, permission: str = "operate") -> Any:
    """The list action ``name`` as a button on a row's own page: it asks first, so that it is always a POST."""

    def press(page: Page, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        getattr(page, name)(request, page.get_queryset(request).filter(pk=object_id))
        meta = page.model._meta
        back = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[object_id])
        return HttpResponse(headers={"HX-Redirect": back})

    press.__name__ = f"{name}_here"
    dialog = {"title": title, "description": question, "form_class": None, "form_submit_text": title}
    return unfold_action(description=title, permissions=[permission], url_path=name, icon=icon, dialog=dialog)(press)


def leads_to(title: Any, *, path: str, icon: str, permission: str = "operate") -> Callable[[F], F]:
    """A button on a row's own page that opens a page in between; the function below answers GET and POST."""
    return cast(
        "Callable[[F], F]", unfold_action(description=title, permissions=[permission], url_path=path, icon=icon)
    )


def actor(request: HttpRequest) -> str:
    """How the audit trail names who clicked."""
    assert not isinstance(request.user, AnonymousUser)  # the admin site lets nobody else in
    return request.user.get_username()


def answer(request: HttpRequest, done: int, text: str, nothing: Any) -> None:
    """After an action: what was done in green, or why nothing was in yellow."""
    if done:
        messages.success(request, text)
    else:
        messages.warning(request, str(nothing))


def said(error: BadReservation) -> str:
    """What is impossible, in the operator's language."""
    return gettext(error.text) % error.values if error.values else gettext(error.text)


def moment(at: datetime | None, zone: ZoneInfo | None = None) -> SafeString | str:
    """The wall clock of a property (or of the installation), with UTC as the tooltip."""
    if at is None:
        return DASH
    foreign = zone is not None and zone.key != settings.TIME_ZONE
    return format_html(
        '<time class="sl-time" datetime="{}" title="{} UTC">{}{}</time>',
        at.isoformat(), f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}", words.wall_clock(at, zone),
        format_html(" <small>{}</small>", zone.key.rpartition("/")[2].replace("_", " ")) if foreign and zone else "",
    )  # fmt: skip


def label(text: object, tone: str = "") -> SafeString:
    """A word on a coloured ground; tones are those of ``words``."""
    return format_html('<span class="sl-label sl-label-{}">{}</span>', tone or "quiet", text)


def subject_link(subject: str, title: str = "") -> SafeString | str:
    """A job's or an entry's subject as a link to its page, if it has one."""
    word, _sep, number = subject.partition(":")
    if word in PAGES and number.isdigit():
        try:
            return link(reverse(PAGES[word], args=[number]), title or subject)
        except NoReverseMatch:
            pass
    return title or subject or DASH


def link(url: str, title: object) -> SafeString:
    return format_html('<a class="sl-link" href="{}">{}</a>', url, title)


def page_of(row: Model, title: object = None) -> SafeString:
    """A link to the row's own page."""
    meta = row._meta
    return link(reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]), title or row)


def block(text: object, *, plain: bool = False) -> SafeString | str:
    """Long or structured text, as it is, with its line breaks; ``plain`` is for prose."""
    if text in ("", None, {}, []):
        return DASH
    shown = text if isinstance(text, str) else json.dumps(text, indent=2, ensure_ascii=False, sort_keys=True)
    return format_html('<pre class="sl-pre{}">{}</pre>', " sl-prose" if plain else "", shown)


def ids_of(rows: QuerySet[Any]) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def numbers(subjects: Iterable[str], word: str) -> list[int]:
    """The numbers of those subjects that start with ``word``: "reservation:17" → 17."""
    parts = (subject.partition(":") for subject in subjects)
    return [int(number) for first, _sep, number in parts if first == word and number.isdigit()]
