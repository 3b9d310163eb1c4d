"""The control room: every page an operator sees.

It lies here and not in the rooms because its pages look into several of them at once (a stay with its PINs, jobs,
events and audit), and no room may import upwards. Pages hold no logic: forms and actions call the rooms' services.

Read in this order: base (what all pages share), words (states as an operator says them), stays, doors, jobs, events,
people, machine.
"""

from __future__ import annotations

from django.contrib import admin

from smartlock.admin import doors, events, jobs, machine, people, stays  # noqa: F401  each registers its pages

# Unfold's own index comes first among the templates, so ours has a name of its own.
admin.site.index_template = "smartlock/admin/dashboard.html"
