"""The frame of the admin site: Unfold's settings and the sidebar. The pages themselves are in ``smartlock.admin``.

Settings import this file, so nothing of a model is imported on top.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

Item = dict[str, Any]
SHELF = "?state__exact=failed"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar in five groups; a number beside an entry is what waits for a person there."""
    from smartlock.dashboard import waiting

    counts = waiting() if request.user.has_perm("scheduler.view_job") else {}
    return [
        _group(
            "",
            _item(_("Tonight"), "nights_stay", "admin:index"),
            _item(_("Notices"), "notifications", "notifications.notice", counts.get("notices", 0)),
        ),
        _group(
            _("Stays"),
            {**_item(_("Timeline"), "view_timeline", "timeline"), "permission": may("reservations.view_reservation")},
            _item(_("Reservations"), "hotel", "reservations.reservation"),
            _item(_("Accommodations"), "apartment", "reservations.accommodation"),
            _item(_("Listings of Stays"), "real_estate_agent", "reservations.listing"),
            _item(_("Messages"), "mail", "notifications.message"),
        ),
        _group(
            _("Doors"),
            _item(_("Locks"), "lock", "locks.lock"),
            _item(_("Credentials"), "pin", "locks.credential"),
            _item(_("Staff codes"), "badge", "locks.staffcode"),
        ),
        _group(
            _("Machine room"),
            {**_item(_("Jobs"), "schedule", "scheduler.job"), "active": among_jobs(shelf=False)},
            {
                **_item(_("Failed jobs"), "inbox", "scheduler.job", counts.get("failed_jobs", 0), SHELF),
                "active": among_jobs(shelf=True),
            },
            _item(_("Queues"), "linear_scale", "scheduler.queue", counts.get("paused_queues", 0)),
            _item(_("Events from Stays"), "webhook", "webhooks.webhookevent", counts.get("parked_events", 0)),
            _item(_("Syncs with Stays"), "sync", "reservations.syncrun"),
            _item(_("Refused deliveries"), "block", "webhooks.refusal"),
            _item(_("Audit trail"), "history", "audit.auditlog"),
            _item(_("Recurring jobs"), "event_repeat", "scheduler.recurringjob"),
            _item(_("Task results"), "task_alt", "django_celery_results.taskresult"),
            _item(_("Signs of life"), "monitor_heart", "scheduler.heartbeat"),
            {**_item(_("Flower"), "local_florist", "flower"), "permission": may("scheduler.view_job")},
        ),
        _group(
            _("People"),
            _item(_("Users"), "person", "auth.user"),
            _item(_("Groups"), "group", "auth.group"),
            _item(_("API tokens"), "api", "api.apitoken"),
            _item(_("Failed sign-ins"), "password", "axes.accessattempt"),
        ),
    ]


def may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: bool(request.user.has_perm(permission))


def among_jobs(*, shelf: bool) -> Callable[[HttpRequest], bool]:
    """Two entries lead to one list; the one that is lit says whether it is filtered to the dead-letter shelf."""

    def active(request: HttpRequest) -> bool:
        filtered = request.GET.get("state__exact") == "failed"
        return request.path.startswith(reverse("admin:scheduler_job_changelist")) and filtered is shelf

    return active


def languages(request: HttpRequest) -> list[dict[str, str]]:
    """The languages the admin site speaks; guests are written to in more."""
    return [{"code": "pt-br", "name_local": "Português"}, {"code": "en", "name_local": "English"}]


def _group(title: Any, *items: Item) -> dict[str, Any]:
    return {"title": title, "separator": bool(title), "items": list(items)}


def _item(title: Any, icon: str, target: str, waiting: int = 0, query: str = "") -> Item:
    """``target`` is a model such as ``locks.lock``, or the name of an address; ``query`` filters its list."""
    app, dot, model = target.partition(".")
    if not dot:
        return {"title": title, "icon": icon, "link": reverse(target)}
    item: Item = {
        "title": title, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist") + query,
        "permission": may(f"{app}.view_{model}"),
    }  # fmt: skip
    if waiting:
        item |= {"badge": waiting, "badge_variant": "danger"}
    return item


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "SmartLock",
    "SITE_HEADER": "SmartLock",
    "SITE_SUBHEADER": _("Guests, doors and PINs"),
    "SITE_SYMBOL": "key_vertical",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("smartlock/icon.svg")}],
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"navigation": languages},
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "smartlock.dashboard.fill",
    "STYLES": [lambda request: static("smartlock/admin.css")],
    "SCRIPTS": [lambda request: static("smartlock/forms.js")],
    "ACCOUNT": {"navigation": [{"title": _("Profile"), "link": reverse_lazy("profile")}]},
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": navigation},
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.7)", "100": "oklch(95.3% .051 180.8)", "200": "oklch(91% .096 180.4)",
            "300": "oklch(85.5% .138 181.1)", "400": "oklch(77.7% .152 181.9)", "500": "oklch(70.4% .14 182.5)",
            "600": "oklch(52% .096 184.7)", "700": "oklch(46% .083 186.4)", "800": "oklch(40% .07 188.2)",
            "900": "oklch(35% .058 188.4)", "950": "oklch(27.7% .046 192.5)",
        },
    },
}  # fmt: skip
