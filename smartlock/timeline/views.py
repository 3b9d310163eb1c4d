"""The page: which days and units are asked for, and each bar as a link with its state in colour, sign and words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from reservations.models import Accommodation, Reservation
from scheduler import clock
from smartlock.admin import words
from smartlock.timeline import reading
from smartlock.timeline.board import Bar, Span

PER_PAGE = 50
DAYS = (7, 14, 28)
BACK = timedelta(days=1)  # the board begins yesterday, so that last night's guests are seen whole
WEEK = timedelta(days=7)
SIGNS = {"success": "✓", "info": "○", "warning": "!", "danger": "✕", "": "–"}
UNSURE = {Reservation.Status.RESERVED: "?", Reservation.Status.BLOCKED: "▨", Reservation.Status.MAINTENANCE: "▨"}


@require_GET
def timeline(request: HttpRequest) -> HttpResponse:
    """``from`` (a date), ``days``, ``q`` (part of a unit's name) and ``page``; what makes no sense is left out."""
    if not request.user.has_perm("reservations.view_reservation"):
        raise PermissionDenied
    now, name = clock.now(), request.GET.get("q", "").strip()[:200]
    today = timezone.localdate(now)
    span = Span(_date(request.GET.get("from", "")) or today - BACK, _days(request.GET.get("days", "")))
    page = Paginator(reading.units(name), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **admin.site.each_context(request), "title": _("Timeline"), "q": name, "span": span, "page": page,
        "lines": [_line(line, now) for line in reading.lines(list(page.object_list), span, now)],
        "days": [_day(day, today) for day in span.dates()], "homeless": reading.homeless(),
        "links": _links(span, name, page, today), "pages": _pages(span, name, page), "lengths": DAYS,
        "legend": _legend(),
    }  # fmt: skip
    return TemplateResponse(request, "smartlock/timeline/page.html", context)


def _date(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def _days(text: str) -> int:
    return int(text) if text.isdecimal() and int(text) in DAYS else DAYS[1]


def _links(span: Span, name: str, page: Page[Accommodation], today: date) -> dict[str, str]:
    """The addresses of the neighbours: a week on or back, today, another length, the other units."""

    def to(first: date, number: int = page.number) -> str:
        return _address(first, span.days, name, number)

    links = {"back": to(span.first - WEEK), "today": to(today - BACK), "on": to(span.first + WEEK)}
    if page.has_previous():
        links["previous"] = to(span.first, page.previous_page_number())
    if page.has_next():
        links["next"] = to(span.first, page.next_page_number())
    return links


def _pages(span: Span, name: str, page: Page[Accommodation]) -> list[dict[str, Any]]:
    """The first, the last and those around this one; without an address where some are left out, or it is this one."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
    return [
        {
            "text": number, "is_this": number == page.number,
            "url": _address(span.first, span.days, name, number)
            if isinstance(number, int) and number != page.number else "",
        }
        for number in numbers
    ]  # fmt: skip


def _address(first: date, days: int, name: str, number: int) -> str:
    wanted = {"from": first.isoformat(), "days": days, "q": name, "page": number if number > 1 else ""}
    return "?" + urlencode({key: value for key, value in wanted.items() if value})


def _day(day: date, today: date) -> dict[str, Any]:
    return {
        "name": date_format(day, "D"), "number": date_format(day, "j M" if day.day == 1 else "j"),
        "is_today": day == today, "is_weekend": day.weekday() >= 5, "full": date_format(day, "l, j F Y"),
    }  # fmt: skip


def _line(line: reading.Line, now: datetime) -> dict[str, Any]:
    unit = line.unit
    return {
        "name": unit.name, "lanes": line.row.lanes, "is_double": line.row.is_double, "parked": line.parked,
        "url": reverse("admin:reservations_accommodation_change", args=[unit.pk]),
        "now": f"{line.now:.2f}" if 0 <= line.now <= 100 else "",
        "bars": [_bar(bar, now) for bar in line.row.bars],
        "incidents": [
            {
                "text": f"{incident.lock.name}: {incident.get_kind_display()}",
                "url": reverse("admin:locks_lock_change", args=[incident.lock_id]),
            }
            for incident in line.incidents
        ],
    }  # fmt: skip


def _bar(bar: Bar, now: datetime) -> dict[str, Any]:
    stay: Reservation = bar.stay.about
    phrase, unsure = words.pin(stay, now), UNSURE.get(Reservation.Status(stay.status))
    name = stay.guest_name or stay.get_status_display()
    told = f"{name}, {_when(bar.stay.starts_at, stay)} – {_when(bar.stay.ends_at, stay)}: {phrase.text}"
    return {
        "name": name, "sign": unsure or SIGNS[phrase.tone], "tone": "unsure" if unsure else phrase.tone or "quiet",
        "style": f"left:{bar.left:.2f}%;width:{bar.width:.2f}%;--lane:{bar.lane}",
        "told": _("Double booking. %(stay)s") % {"stay": told} if bar.is_double else told,
        "url": reverse("admin:reservations_reservation_change", args=[stay.pk]), "is_double": bar.is_double,
        "comes_in": bar.comes_in, "goes_on": bar.goes_on,
    }  # fmt: skip


def _when(at: datetime, stay: Reservation) -> str:
    return date_format(timezone.localtime(at, stay.accommodation.zone), "j M H:i")


def _legend() -> list[dict[str, str]]:
    told = {
        "success": _("proven on the door, or its removal is"), "info": _("comes in time, as planned"),
        "warning": _("not proven yet"), "danger": _("needs a person"), "": _("no PIN"),
    }  # fmt: skip
    legend = [{"sign": SIGNS[tone], "tone": tone or "quiet", "text": text} for tone, text in told.items()]
    return [*legend, {"sign": "?", "tone": "unsure", "text": _("not confirmed, or blocked (▨)")}]
