"""Which of our languages a guest gets, and how times read in it. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import dateformat, translation

PORTUGUESE, ENGLISH, SPANISH = "pt-br", "en", "es"
_NEAREST = {"pt": PORTUGUESE, "en": ENGLISH, "es": SPANISH, "gl": PORTUGUESE, "ca": SPANISH}
_FORMATS = {
    PORTUGUESE: r"l, j \d\e F, H:i",  # quinta-feira, 26 de novembro, 15:00
    ENGLISH: "l, j F, H:i",  # Thursday, 26 November, 15:00
    SPANISH: r"l, j \d\e F, H:i",  # jueves, 26 de noviembre, 15:00
}
_BRAZIL = re.compile(r"(\+|00)55|55\d{10,11}$")


def language_of(tag: str, phone: str = "") -> str:
    """The nearest language to a tag such as pt_BR; without one the phone's country decides, and English is for all."""
    primary = re.split(r"[-_]", tag.strip().lower())[0]
    if primary:
        return _NEAREST.get(primary, ENGLISH)
    return PORTUGUESE if _BRAZIL.match(re.sub(r"[^\d+]", "", phone)) else ENGLISH


def wall_clock(moment: datetime, zone: ZoneInfo, language: str) -> str:
    """A moment as the property's clock shows it: weekday, date and time, without the year."""
    with translation.override(language):
        text = dateformat.format(moment.astimezone(zone), _FORMATS[language])
    return text if language == ENGLISH else text.lower()


def zone_note(starts_at: datetime, ends_at: datetime, zone: ZoneInfo, home: ZoneInfo) -> str:
    """Such as "Manaus, UTC-4" where the property's clock differs from the usual one; nothing where it agrees.

    Where it is put forward or back during the stay, both are told: "Berlin, UTC+1 → UTC+2".
    """
    moments = (starts_at, ends_at)
    offsets = [moment.astimezone(zone).utcoffset() for moment in moments]
    if offsets == [moment.astimezone(home).utcoffset() for moment in moments]:
        return ""
    city = zone.key.rpartition("/")[2].replace("_", " ")
    told = [_utc(offset) for offset in offsets if offset is not None]
    return f"{city}, {' → '.join(dict.fromkeys(told))}"


def _utc(offset: timedelta) -> str:
    minutes = int(offset.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")
