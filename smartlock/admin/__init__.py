"""The control room: every page an operator sees.

It lies here and not in the rooms because its pages look into several of them at once (a stay with its PINs, jobs,
events and audit), and no room may import upwards. Pages hold no logic: forms and actions call the rooms' services.

Read in this order: base (what all pages share), words (states as an operator says them), stays, doors, jobs (with
asking and steering), queues, events, people, machine.
"""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from smartlock.admin import (  # noqa: F401  registers
    doors,
    events,
    jobs,
    machine,
    people,
    queues,
    recurring,
    staff,
    stays,
    tokens,
)

# Unfold's own index comes first among the templates, so ours has a name of its own.
admin.site.index_template = "smartlock/admin/dashboard.html"

# The rooms under the names the sidebar gives them, for the path at the top of each page.
for _room, _name in {
    "reservations": _("Stays"), "locks": _("Doors"), "scheduler": _("Machine room"), "webhooks": _("Machine room"),
    "audit": _("Machine room"), "notifications": _("Messages"), "django_celery_beat": _("Machine room"),
    "django_celery_results": _("Machine room"), "auth": _("People"), "api": _("People"), "axes": _("People"),
    "otp_totp": _("People"), "otp_static": _("People"),
}.items():  # fmt: skip
    apps.get_app_config(_room).verbose_name = _name
