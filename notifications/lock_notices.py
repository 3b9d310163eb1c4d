"""Notices about a lock itself, in the installation's language, once per incident."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from locks.lock_troubles import duration
from locks.models import Lock, LockEvent, LockIncident
from locks.provider import Window
from locks.timekeeping import Sign
from notifications import notices, sentences
from notifications.languages import ENGLISH, PORTUGUESE, wall_clock
from notifications.models import Notice

SHORT_GAP_DAYS = 90  # a gap that ends later than this has no end worth telling
WHEN_FREE: dict[str, str] = {
    ENGLISH: "The unit is free from {start} to {end}: have it done then.",
    PORTUGUESE: "A unidade fica livre de {start} a {end}: faça isso nesse intervalo.",
}
FREE_FROM: dict[str, str] = {
    ENGLISH: "The unit is free from {start}: have it done then.",
    PORTUGUESE: "A unidade fica livre a partir de {start}: faça isso então.",
}
NEVER_FREE: dict[str, str] = {
    ENGLISH: "The unit is not free before: arrange it with the guest.",
    PORTUGUESE: "A unidade não fica livre antes: combine com o hóspede.",
}
WHAT: dict[str, dict[str, str]] = {
    LockEvent.Kind.TAMPER.value: {
        ENGLISH: "it was pried, shaken or forced",
        PORTUGUESE: "foi forçada, sacudida ou arrombada",
    },
    LockEvent.Kind.DURESS.value: {
        ENGLISH: "it was opened with the code for threats",
        PORTUGUESE: "foi aberta com o código de ameaça",
    },
}


CLOCK: dict[str, dict[str, str]] = {
    Sign.EARLY.value: {
        ENGLISH: "on {at} it opened to a PIN whose time had not begun. Its clock seems to be at least {off} ahead: "
        "PINs open too early there and shut too early",
        PORTUGUESE: "em {at} ela abriu com um PIN cujo horário ainda não tinha começado. O relógio dela parece "
        "adiantado em pelo menos {off}: os PINs abrem cedo demais e deixam de abrir cedo demais",
    },
    Sign.LATE.value: {
        ENGLISH: "on {at} it opened to a PIN whose time was over. Its clock seems to be at least {off} behind: PINs "
        "open too late there and shut too late",
        PORTUGUESE: "em {at} ela abriu com um PIN cujo horário já tinha acabado. O relógio dela parece atrasado em "
        "pelo menos {off}: os PINs abrem tarde demais e continuam abrindo depois do fim",
    },
    Sign.FUTURE.value: {
        ENGLISH: "it recorded an opening on {at}, which had not come yet. Its clock seems to be at least {off} ahead: "
        "PINs open too early there and shut too early",
        PORTUGUESE: "ela registrou uma abertura em {at}, um horário que ainda não tinha chegado. O relógio dela parece "
        "adiantado em pelo menos {off}: os PINs abrem cedo demais e deixam de abrir cedo demais",
    },
    Sign.REFUSED.value: {
        ENGLISH: "wrong PINs were typed, the last one on {at}, although the lock holds a PIN whose time began {off} "
        "earlier and which has never opened it. The guest mistypes it, or the lock's clock is behind. Call the guest "
        "now and be ready to open",
        PORTUGUESE: "foram digitados PINs errados, o último em {at}, embora a fechadura tenha um PIN cujo horário "
        "começou {off} antes e que nunca a abriu. O hóspede está errando os dígitos ou o relógio da fechadura está "
        "atrasado. Ligue agora para o hóspede e esteja pronto para abrir",
    },
}


def about_incident(incident: LockIncident, facts: dict[str, Any], *, now: datetime) -> Notice:
    """What is wrong, until when it matters, and when nobody is in the way of mending it."""
    lock, tongue = incident.lock, sentences.language(settings.LANGUAGE_CODE)
    values: dict[str, Any] = {name: _said(value, lock, tongue) for name, value in facts.items()}
    values["turnover"] = _turnover(facts.get("turnover"), lock, tongue, now)
    if "what" in facts:
        values["what"] = WHAT[facts["what"]][tongue]
    if "sign" in facts:
        values["what"] = CLOCK[facts["sign"]][tongue].format(at=values["at"], off=duration(facts["off"]))
    return notices.write(
        f"lock_{incident.kind}", subject=f"lock:{lock.pk}", about=describe(lock), detail="", now=now, **values
    )


def about_recovery(incident: LockIncident, *, now: datetime) -> Notice:
    """A trouble that lasted for long is over; the notice of its beginning needs no eyes any more."""
    Notice.objects.filter(
        code=f"lock_{incident.kind}", subject=f"lock:{incident.lock_id}", seen_at__isnull=True
    ).update(seen_at=now)
    tongue = sentences.language(settings.LANGUAGE_CODE)
    return notices.write(
        f"lock_{incident.kind}_over", subject=f"lock:{incident.lock_id}", about=describe(incident.lock), detail="",
        now=now, since=_said(incident.began_at, incident.lock, tongue),
    )  # fmt: skip


def describe(lock: Lock) -> str:
    """The lock and the units it opens."""
    units = list(lock.accommodations.order_by("name").values_list("name", flat=True)[:4])
    named = ", ".join(units[:3]) + (" …" if len(units) > 3 else "")
    return f"{lock.name} ({named})" if units else lock.name


def _said(value: object, lock: Lock, tongue: str) -> object:
    if not isinstance(value, datetime):
        return value
    unit = lock.accommodations.order_by("pk").first()
    return wall_clock(value, unit.zone if unit else ZoneInfo(settings.TIME_ZONE), tongue)


def _turnover(gap: Window | None, lock: Lock, tongue: str, now: datetime) -> str:
    if gap is None:
        return NEVER_FREE[tongue]
    has_end = (gap.ends_at - now).days < SHORT_GAP_DAYS
    form = WHEN_FREE if has_end else FREE_FROM
    return form[tongue].format(start=_said(gap.starts_at, lock, tongue), end=_said(gap.ends_at, lock, tongue))
