"""Writes the letters to guests: one file of sentences per message and language, set as text and as HTML.

A file such as ``pin_ready.es.txt`` holds whole sentences in blocks; ``common.es.txt`` those that all messages share;
``base.txt`` and ``base.html`` are the two layouts they are poured into.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.template.loader import render_to_string

from locks import sealing
from locks.models import Credential, Fallback
from notifications.decide import Knows, Template
from notifications.languages import wall_clock, zone_note
from notifications.mail import Letter
from notifications.outlook import Outlook, is_proven
from reservations.models import Accommodation

# Whether Tuya counts the day from the making or from the start is not certain: the earlier one is told.
OFFLINE_FIRST_USE = timedelta(hours=23)


@dataclass(frozen=True, repr=False)
class Code:
    """One PIN and its doors. ``pin`` is empty for one that the guest has and we no longer can read.

    A replacement says from when until when it opens, by when an offline code must be used first, and whether the PIN
    that she was told before is void at this door or may start to work.
    """

    doors: str
    pin: str
    opens_from: str = ""
    opens_until: str = ""
    first_by: str = ""
    first_pin: str = ""  # "void" or "late", where she was told one


def can_be_written(outlook: Outlook) -> bool:
    """Whether every PIN that the guest does not have yet can still be read."""
    if outlook.template is Template.STAY_CANCELLED:
        return True
    known = set(outlook.told.codes.values()) if outlook.told is not None else set()
    unreadable = {c.pin_fingerprint for c in outlook.credentials if not c.pin_sealed}
    unreadable |= {given.fingerprint for given in outlook.held.values() if not given.sealed}
    return not (set(outlook.knows.codes.values()) & unreadable - known)


def guest_letter(outlook: Outlook, language: str) -> Letter:
    """The letter with the PIN in it. Raises Configuration when no key opens the sealed PIN."""
    assert outlook.template is not None
    context = _context(outlook, outlook.knows, language)
    name = f"notifications/{outlook.template.value}.{language}.txt"
    subject, _newline, text = _set(name, "notifications/base.txt", context).partition("\n")
    return Letter(subject.strip(), _tidy(text), _set(name, "notifications/base.html", context))


def _set(name: str, layout: str, context: dict[str, Any]) -> str:
    return render_to_string(name, {**context, "layout": layout}).strip()


def _tidy(text: str) -> str:
    """Templates leave blank lines behind; one is enough."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip() + "\n"


def _context(outlook: Outlook, knows: Knows, language: str) -> dict[str, Any]:
    unit = _unit(outlook, knows)
    codes = _replacements(outlook, knows, unit, language)
    others = _codes(outlook, knows)
    if outlook.template is not Template.USE_INSTEAD:
        codes, others = others + codes, []
    return {
        "language": language,
        "first_name": first_name(outlook.reservation.guest_name),
        "unit": unit.name,
        "codes": codes,
        "one_code": len(codes) == 1,
        "doors": ", ".join(code.doors for code in codes),
        "other_doors": ", ".join(code.doors for code in others),
        "check_in": wall_clock(knows.starts_at, unit.zone, language),
        "check_out": wall_clock(knows.ends_at, unit.zone, language),
        "zone": zone_note(knows.starts_at, knows.ends_at, unit.zone, ZoneInfo(settings.TIME_ZONE)),
        "sleeping": _unproven(outlook, sleeps=True),
        "unheard": _unproven(outlook, sleeps=False),
        "may_open": outlook.template is Template.STAY_CANCELLED and _may_open(outlook),
    }


def _may_open(outlook: Outlook) -> bool:
    """Whether a code of a stay that was ended may still open: its removal is not proven, or nobody can take it away."""
    of_stay = Q(reservation=outlook.reservation) | Q(fallback__reservation=outlook.reservation)
    there = Credential.objects.filter(of_stay, asked_at__isnull=False, removed_at__isnull=True)
    return any(given.kind == Fallback.Kind.OFFLINE for given in outlook.held.values()) or there.exists()


def _unproven(outlook: Outlook, *, sleeps: bool) -> str:
    """The doors that have not confirmed her own PIN: those she can wake herself, or those behind a gateway."""
    own = [one for one in outlook.credentials if one.lock_id not in outlook.held and not is_proven(one)]
    return ", ".join(one.lock.name for one in own if one.lock.sleeps is sleeps)


def _unit(outlook: Outlook, knows: Knows) -> Accommodation:
    """A cancellation speaks of the unit that the guest was told, not of one she was about to be moved to."""
    present = outlook.reservation.accommodation
    if knows.unit == present.pk:
        return present
    return Accommodation.objects.filter(pk=knows.unit).first() or present


def _codes(outlook: Outlook, knows: Knows) -> list[Code]:
    """The same digits are shown once, with the names of all their doors."""
    doors: dict[str, list[str]] = {}
    sealed: dict[str, bytes] = {}
    for credential in outlook.credentials:
        if knows.codes.get(str(credential.lock_id)) == credential.pin_fingerprint:
            doors.setdefault(credential.pin_fingerprint, []).append(credential.lock.name)
            if credential.pin_sealed:
                sealed[credential.pin_fingerprint] = bytes(credential.pin_sealed)
    return [
        Code(", ".join(names), sealing.unseal(sealed[code]) if code in sealed else "") for code, names in doors.items()
    ]


def _replacements(outlook: Outlook, knows: Knows, unit: Accommodation, language: str) -> list[Code]:
    """What is to be typed at doors that did not take her PIN in time; each of them has a code of its own."""
    shown = [
        given for _, given in sorted(outlook.held.items())
        if knows.codes.get(str(given.lock_id)) == given.fingerprint
    ]  # fmt: skip
    return [_replacement(outlook, given, unit, language) for given in shown]


def _replacement(outlook: Outlook, given: Fallback, unit: Accommodation, language: str) -> Code:
    """An offline code goes by full hours; and it is void when nobody has used it within a day of its making."""
    assert given.starts_at is not None
    assert given.ends_at is not None
    assert given.handed_out_at is not None
    is_offline = given.kind == Fallback.Kind.OFFLINE
    stay = outlook.reservation
    opens_until = min(given.ends_at if is_offline else stay.check_out_at, stay.check_out_at)
    first_by = given.handed_out_at + OFFLINE_FIRST_USE
    return Code(
        doors=given.lock.name, pin=sealing.unseal(given.sealed) if given.sealed else "",
        opens_from=wall_clock(max(given.starts_at, stay.check_in_at), unit.zone, language),
        opens_until=wall_clock(opens_until, unit.zone, language),
        first_by=wall_clock(first_by, unit.zone, language) if is_offline and first_by < opens_until else "",
        first_pin=("late" if is_offline else "void") if outlook.told is not None and outlook.told.codes else "",
    )  # fmt: skip


def first_name(name: str) -> str:
    """How she is greeted; booking systems like to shout."""
    first = name.split()[0] if name.split() else ""
    return first.capitalize() if first.isupper() or first.islower() else first
