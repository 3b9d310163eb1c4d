"""The chain as it is shown: titles, marks that differ in shape as well as in colour, times by the property's clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from smartlock.admin.words import wall_clock
from smartlock.tonight.chain import Light, Link, Mend, Step

STEPS = {
    Step.BOOKING: gettext_lazy("Booking"), Step.CHOSEN: gettext_lazy("PIN chosen"),
    Step.ACCEPTED: gettext_lazy("Accepted"), Step.PROVEN: gettext_lazy("Proven"),
    Step.BACKUP: gettext_lazy("Backup"), Step.LOCK: gettext_lazy("Lock"), Step.MESSAGE: gettext_lazy("Message"),
    Step.USE: gettext_lazy("First use"),
}  # fmt: skip
LIGHTS = {
    Light.GREEN: gettext_lazy("done"), Light.AMBER: gettext_lazy("on its way"), Light.RED: gettext_lazy("trouble"),
    Light.LATER: gettext_lazy("not yet"), Light.NONE: gettext_lazy("not set up"),
}  # fmt: skip
ICONS = {
    Light.GREEN: "check", Light.AMBER: "hourglass_top", Light.RED: "priority_high", Light.LATER: "schedule",
    Light.NONE: "remove",
}  # fmt: skip
MENDS = {
    Mend.RETRY: gettext_lazy("Try again"), Mend.RUN_NOW: gettext_lazy("Run now"),
    Mend.REPLAN: gettext_lazy("Plan again"), Mend.READMIT: gettext_lazy("Let in again"),
    Mend.RESEND: gettext_lazy("Write to the guest again"), Mend.NEW_PIN: gettext_lazy("New PIN"),
}  # fmt: skip


def link(one: Link, zone: ZoneInfo) -> dict[str, Any]:
    """One proof for the template: a mark, a short title, and the words for hover, touch and screen readers."""
    at = f" {wall_clock(one.at, zone)}." if one.at else ""
    return {
        "light": one.light.value, "icon": ICONS[one.light], "title": STEPS[one.step], "word": LIGHTS[one.light],
        "text": f"{one.text}{at}",
    }  # fmt: skip


def coming(light: Light, count: int) -> str:
    """How many arrivals are of this colour."""
    return {
        Light.RED: ngettext("%d needs you", "%d need you", count),
        Light.AMBER: ngettext("%d is on its way", "%d are on their way", count),
        Light.LATER: ngettext("%d not due yet", "%d not due yet", count),
        Light.GREEN: ngettext("%d proven", "%d proven", count),
    }[light] % count


def going(light: Light, count: int) -> str:
    """How many departures are of this colour."""
    return {
        Light.RED: ngettext("%d needs you", "%d need you", count),
        Light.AMBER: ngettext("%d PIN is being taken off", "%d PINs are being taken off", count),
        Light.LATER: ngettext("%d leaves later", "%d leave later", count),
        Light.GREEN: ngettext("%d removal proven", "%d removals proven", count),
        Light.NONE: ngettext("%d had no PIN on a door", "%d had no PIN on a door", count),
    }[light] % count


def forms() -> dict[str, str]:
    """What the page's script says. From here, because a template's translations cannot hold a bare per cent sign."""
    return {
        "in": _("in %(time)s"), "since": _("%(time)s ago"), "days": _("%(days)d d %(hours)d h"),
        "hours": _("%(hours)d h %(minutes)02d min"), "good": _("Renewed at %(time)s"),
        "bad": _("Could not be renewed since %(time)s. It is tried again; what you see may be old."),
    }  # fmt: skip


def until(at: datetime, now: datetime) -> str:
    """How long until then, or since; the page's script says it in the same words."""
    minutes = round((at - now).total_seconds() / 60)
    form = _("in %(time)s") if minutes >= 0 else _("%(time)s ago")
    return form % {"time": span(abs(minutes))}


def span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return _("%(days)d d %(hours)d h") % {"days": hours // 24, "hours": hours % 24}
    return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": rest} if hours else f"{rest} min"
