"""A schedule in words, in the reader's language."""

from __future__ import annotations

from typing import Any

from cron_descriptor import (
    ExpressionDescriptor,
    FormatException,
    MissingFieldException,
    Options,
    WrongArgumentException,
)
from django.utils import translation
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scheduler.recurring.schedules import Cron, Schedule

# cron-descriptor has European Portuguese, which says the same in these sentences; days and months it leaves in English.
LOCALES = {"pt-br": "pt_PT", "es": "es_ES"}


def in_words(schedule: Schedule) -> str:
    """Without the zone, which stands beside it."""
    if isinstance(schedule, Cron):
        return _cron(schedule)
    for seconds, words in (
        (86400, lambda n: ngettext("every day", "every %(count)d days", n)),
        (3600, lambda n: ngettext("every hour", "every %(count)d hours", n)),
        (60, lambda n: ngettext("every minute", "every %(count)d minutes", n)),
    ):
        if schedule.seconds % seconds == 0:
            count = schedule.seconds // seconds
            return words(count) % {"count": count}
    return _("every %(count)d seconds") % {"count": schedule.seconds}


def _cron(schedule: Cron) -> str:
    language = translation.get_language() or "en"
    options: Any = Options()  # type: ignore[no-untyped-call]  # it has no types
    options.locale_code = LOCALES.get(language, "en_US")
    options.use_24hour_time_format = True
    try:
        text = str(ExpressionDescriptor(schedule.expression, options).get_description())
    except (FormatException, MissingFieldException, WrongArgumentException):
        return schedule.expression
    with translation.override("en"):
        english = [(str(name), name) for name in (*WEEKDAYS.values(), *MONTHS.values())]
    for word, name in english:
        text = text.replace(word, str(name))
    return text
