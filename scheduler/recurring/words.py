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
from django.utils.translation import ngettext

from scheduler.recurring.schedules import Cron, Schedule

# cron-descriptor has European Portuguese, which says the same in these sentences; days and months it leaves in English.
LOCALES = {"pt-br": "pt_PT", "es": "es_ES"}


def in_words(schedule: Schedule) -> str:
    """Without the zone, which stands beside it."""
    if isinstance(schedule, Cron):
        return _cron(schedule)
    count = schedule.seconds
    if count % 86400 == 0:
        words, count = ngettext("every day", "every %(count)d days", count // 86400), count // 86400
    elif count % 3600 == 0:
        words, count = ngettext("every hour", "every %(count)d hours", count // 3600), count // 3600
    elif count % 60 == 0:
        words, count = ngettext("every minute", "every %(count)d minutes", count // 60), count // 60
    else:
        words = ngettext("every second", "every %(count)d seconds", count)
    return words % {"count": count}


def _cron(schedule: Cron) -> str:
    language = translation.get_language() or "en"
    options: Any = Options()
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
