"""Words of Unfold and of Celery's admin pages that come without a Portuguese translation.

Named here only, so that `makemessages` finds them and our catalogue can translate them.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop as _

UNFOLD = [
    _("Select record"), _("Select action"), _("Select action to run"), _("Select all rows"), _("Run"),
    _("Filters"), _("Apply Filters"), _("Reset filters"), _("Select value"), _("Type to search"),
    _("No results found"), _("This page yielded into no results. Create a new item or reset your filters."),
    _("No results matching your query"), _("Search apps and models..."), _("No data"), _("Expand row"),
    _("Collapse"), _("More actions"), _("All applications"), _("Welcome back to"), _("Submit"),
    _("Forgotten your password or username?"), _("Cancel"), _("Go back"), _("Previous"), _("Next"),
    _("You have been successfully logged out from the administration"), _("True"), _("False"), _("General"),
    _("Light"), _("Dark"), _("System"), _("Return to site"), _("Add row"), _("Date"), _("From"),
    _("To"), _("Date from"), _("Date to"), _("Toggle password visibility"), _("Name"), _("Value"),
    _("This item will be deleted."), _("Click to cancel"), _("Add new item"), _("Loading more results..."),
    _("%(full_result_count)s total"), _("Object"), _("Edit"), _("Group"),
    _("After you've created a user, you’ll be able to edit more user options."),
    _(
        "Raw passwords are not stored, so there is no way to see this user’s password, but you can change the password "
        'using <a href="{}" class="text-primary-600 dark:text-primary-500">this form</a>.'
    ),
]  # fmt: skip
CELERY = [
    _("periodic task"), _("periodic tasks"), _("interval"), _("intervals"), _("crontab"),
    _("crontabs"), _("clocked"), _("Task (registered)"), _("Task (custom)"), _("Task Name"),
    _("Enabled"), _("Description"), _("Schedule"), _("Arguments"), _("Execution Options"),
    _("Interval Schedule"), _("Crontab Schedule"), _("Solar Schedule"), _("Clocked Schedule"),
    _("Start Datetime"), _("Last Run Datetime"), _("One-off Task"), _("Positional Arguments"),
    _("Keyword Arguments"), _("Expires Datetime"), _("Expires timedelta with seconds"),
    _("Queue Override"), _("Priority"), _("Total Run Count"), _("Enable selected tasks"),
    _("Disable selected tasks"), _("Toggle activity of selected tasks"), _("Run selected tasks"),
    _("task result"), _("task results"), _("Task ID"), _("Task State"), _("Worker"), _("Result Data"),
    _("Periodic Task Name"), _("Task Positional Arguments"),
]  # fmt: skip
