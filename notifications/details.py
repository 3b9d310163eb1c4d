"""What the machine knows more about a notice, in the installation's language and by the property's clock.

The machine writes down what went wrong in English. English operators read that; for Portuguese ones each alarm of a
door has a sentence here, and what has none is quoted as the record it is.
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from locks.models import Credential, Lock
from notifications.languages import ENGLISH, PORTUGUESE, wall_clock
from notifications.sentences import language
from reservations.models import Accommodation

SLEEPS = " Ela dorme: basta tocar no teclado para acordá-la."
# By the alarm's word (``locks.alarms``).
DOORS = {
    "pin_not_proven": "{door} ainda não confirmou o PIN.{sleeps}",
    "removal_overdue": "{door} ainda não confirmou a remoção.{sleeps}",
    "no_room": "{door} não aceita mais códigos: é preciso apagar algum.",
    "too_many_writes": "{door} recebeu gravações demais em pouco tempo, e fica em paz por um momento.",
    "no_way_in": "{door} não confirmou o PIN.{sleeps}",
}
FROZEN = {
    ENGLISH: "{door} takes neither new times nor equal digits, so the PIN opens until {until}.",
    PORTUGUESE: "{door} não aceita nem outro horário nem dígitos iguais: o PIN abre até {until}.",
}
SILENT = {ENGLISH: "Nothing for {hours:.0f} h", PORTUGUESE: "Nada há {hours:.0f} h"}
CALLS = {ENGLISH: "{calls} of {quota} calls", PORTUGUESE: "{calls} de {quota} chamadas"}


def of_door(credential: Credential, code: str, text: str, until: datetime | None = None) -> str:
    """``text`` is the English record; ``until`` the moment that an alarm may be about."""
    tongue, lock = language(settings.LANGUAGE_CODE), credential.lock
    stay = credential.reservation
    if until is not None and stay is not None:
        return FROZEN[tongue].format(door=lock.name, until=of_moment(until, stay.accommodation))
    return of_lock(lock, code, text)


def of_lock(lock: Lock, code: str, text: str) -> str:
    """The same, whosever PIN it is about."""
    if language(settings.LANGUAGE_CODE) == ENGLISH:
        return text
    known = DOORS.get(code)
    return known.format(door=lock.name, sleeps=SLEEPS if lock.sleeps else "") if known else of_record(text)


def of_moment(at: datetime, unit: Accommodation) -> str:
    """By the unit's clock, in words."""
    return wall_clock(at, unit.zone, language(settings.LANGUAGE_CODE))


def of_record(text: str) -> str:
    """What only the machine's record says: as it is in English, in quotation marks elsewhere."""
    return text if language(settings.LANGUAGE_CODE) == ENGLISH or not text else f"Registro: “{text.strip()}”"


def of_silence(hours: float) -> str:
    return SILENT[language(settings.LANGUAGE_CODE)].format(hours=hours)


def of_calls(calls: int, quota: int) -> str:
    tongue = language(settings.LANGUAGE_CODE)
    said = (f"{number:,}" if tongue == ENGLISH else f"{number:,}".replace(",", ".") for number in (calls, quota))
    return CALLS[tongue].format(**dict(zip(("calls", "quota"), said, strict=True)))
