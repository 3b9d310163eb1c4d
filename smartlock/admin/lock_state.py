"""How a lock is, in words and colours: for its row in the list and for its page. The PINs are nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from locks import breaker, doors, room
from locks.foresight import Policy
from locks.lock_troubles import trouble_of
from locks.models import Credential, Lock, LockEvent, LockIncident, Opening
from locks.provider import PinState
from smartlock.admin import words
from smartlock.admin.base import DASH, moment, page_of
from smartlock.admin.words import Phrase

SHOWN = 30
LEVELS = 24
WHO_TONES = {Opening.Who.GUEST: "success", Opening.Who.BACKUP: "info", Opening.Who.STAFF: "info",
             Opening.Who.UNKNOWN: ""}  # fmt: skip
ALARMING = {LockEvent.Kind.TAMPER, LockEvent.Kind.DURESS}


def battery(lock: Lock) -> Phrase:
    if lock.battery_percent is None:
        return Phrase(_("unknown"))
    low = settings.BATTERY_LOW_PERCENT
    tone = "danger" if lock.battery_percent <= low else "warning" if lock.battery_percent <= low + 15 else "success"
    return Phrase(f"{lock.battery_percent} %", tone)


def connection(lock: Lock, policy: Policy, now: datetime) -> Phrase:
    """A Wi-Fi lock that is offline sleeps, which is as it should be for a week."""
    if lock.heard_at is None:
        return Phrase(_("never heard"))
    if now - lock.heard_at >= policy.silent_after[lock.device.radio]:
        return Phrase(_("silent"), "danger")
    if lock.online:
        return Phrase(_("online"), "success")
    return Phrase(_("asleep"), "success") if lock.radio == Lock.Radio.WIFI else Phrase(_("offline"), "warning")


def capacity(lock: Lock) -> Phrase:
    held, free = room.held(lock), room.remaining(lock)
    tone = "danger" if free == 0 else "warning" if free <= 2 else "success"
    return Phrase(_("%(held)d of %(all)d, %(free)d free") % {"held": held, "all": lock.capacity, "free": free}, tone)


def agreement(lock: Lock) -> Phrase:
    """What the last reconciliation said."""
    report = getattr(lock, "report", None)
    if report is None:
        return Phrase(_("not compared yet"))
    if report.error:
        return Phrase(_("could not be read"), "danger")
    if report.missing + report.unwanted + report.changed:
        count = report.missing + report.unwanted + report.changed
        return Phrase(_("%(count)d to put right") % {"count": count}, "warning")
    if report.foreign:
        return Phrase(_("agrees, %(count)d not ours") % {"count": report.foreign}, "success")
    return Phrase(_("agrees"), "success")


def trouble(lock: Lock) -> Phrase:
    """The incidents that are going on."""
    running = [row for row in lock.incidents.all() if row.ended_at is None]
    if not running:
        return Phrase(_("none"), "success")
    grave = any(row.kind != LockIncident.Kind.WRONG_PINS for row in running)
    return Phrase(", ".join(str(row.get_kind_display()) for row in running), "danger" if grave else "warning")


def running_incidents() -> Prefetch[Any]:
    return Prefetch("incidents", queryset=LockIncident.objects.filter(ended_at__isnull=True))


@dataclass(frozen=True)
class Bar:
    """One battery level in the little chart; heights in per cent."""

    height: int
    tone: str
    text: str


def overview(lock: Any, policy: Policy, *, now: datetime) -> dict[str, Any]:
    """All that is known of a lock, for its page: a fixed number of queries, and no call."""
    unit = lock.accommodations.first()
    zone: ZoneInfo | None = unit.zone if unit else None
    report = getattr(lock, "report", None)
    state = doors.lock_state(lock)
    return {
        "lock": lock,
        "zone": zone.key if zone else settings.TIME_ZONE,
        "lights": [
            {"title": _("Battery"), "phrase": battery(lock), "at": moment(lock.battery_at, zone)},
            {"title": _("Connection"), "phrase": connection(lock, policy, now), "at": moment(lock.heard_at, zone)},
            {"title": _("Codes"), "phrase": capacity(lock), "at": moment(report.checked_at if report else None, zone)},
            {"title": _("Compared"), "phrase": agreement(lock), "at": moment(report and report.tried_at, zone)},
        ],
        "batteries": _chart(lock, zone),
        "incidents": [
            {"kind": row.get_kind_display(), "began": moment(row.began_at, zone), "told": moment(row.told_at, zone),
             "trouble": trouble_of(row)}
            for row in lock.incidents.all() if row.ended_at is None
        ],
        "paused": state.reason if state.is_open else "",
        "account": _reason(doors.account_state(lock.provider)),
        "failed_at": moment(lock.read_failed_at, zone) if lock.read_failed_at else "",
        "codes": _ours(lock, zone), "foreign": _foreign(report, zone),
        "openings": _openings(lock, zone), "events": _events(lock, zone),
        "log_at": moment(lock.log_read_at, zone), "report": _report(report, zone),
    }  # fmt: skip


def differences(found: dict[str, Any], zone: ZoneInfo | None) -> list[dict[str, Any]]:
    """A report's lists as rows of a table: what, which code, what will become of it."""
    said = {
        "missing": (_("missing"), _("It is put back by a job."), "danger"),
        "unwanted": (_("should be gone"), _("It is taken off by a job."), "danger"),
        "changed": (_("changed by hand"), "", "warning"),
        "foreign": (_("not ours"), _("It is left alone."), ""),
    }
    return [
        {
            "kind": kind, "word": word, "tone": tone, "name": row["name"], "ref": row.get("ref", ""),
            "credential": row.get("credential"), "todo": _changes(row, zone) if kind == "changed" else todo,
        }
        for kind, (word, todo, tone) in said.items() for row in found.get(kind, [])
    ]  # fmt: skip


def _changes(row: dict[str, Any], zone: ZoneInfo | None) -> str:
    names = {"name": _("name"), "state": _("switched off"), "starts_at": _("opens from"), "ends_at": _("opens until")}
    asked = {"name": row["name"], **row.get("asked", {})}
    said = []
    for what in row["what"]:
        before, after = _plain(asked.get(what), zone), _plain(row["found"].get(what), zone)
        said.append(str(names[what]) if what == "state" else f"{names[what]}: {before} → {after}")
    return "; ".join(said)


def _plain(value: str | None, zone: ZoneInfo | None) -> str:
    at = parse_datetime(value) if value and "T" in value else None
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else value or DASH


def _chart(lock: Lock, zone: ZoneInfo | None) -> list[Bar]:
    rows = list(lock.batteries.all()[:LEVELS])[::-1]
    low = settings.BATTERY_LOW_PERCENT
    return [
        Bar(max(row.percent, 4), "danger" if row.percent <= low else "success",
            f"{row.at.astimezone(zone):%Y-%m-%d}: {row.percent} %")
        for row in rows
    ]  # fmt: skip


def _ours(lock: Lock, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    rows = (
        Credential.objects.filter(lock=lock, removed_at__isnull=True)
        .select_related("reservation__accommodation", "staff_code", "lock")
        .defer("pin_hash", "pin_sealed", "pin_fingerprint")
        .order_by("starts_at", "pk")
    )  # fmt: skip
    return [
        {
            "page": page_of(row, row.name), "whose": _whose(row), "purpose": row.get_purpose_display(),
            "state": row.get_state_display(), "tone": words.CREDENTIAL_TONES[Credential.State(row.state)],
            "opens": moment(row.starts_at, zone), "closes": moment(row.ends_at, zone),
            "used": moment(row.first_used_at, zone),
        }
        for row in rows
    ]  # fmt: skip


def _whose(row: Credential) -> Any:
    if row.reservation is not None:
        return page_of(row.reservation, row.reservation.guest_name or str(row.reservation))
    return str(row.staff_code) if row.staff_code is not None else _("in reserve")


def _foreign(report: Any, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    if report is None:
        return []
    return [
        {
            "name": code["name"] or DASH, "ref": code["ref"], "on": code["state"] == PinState.ON_LOCK,
            "opens": moment(_at(code.get("starts_at")), zone), "closes": moment(_at(code.get("ends_at")), zone),
        }
        for code in report.found.get("foreign", [])
    ]  # fmt: skip


def _at(text: str | None) -> datetime | None:
    return parse_datetime(text) if text else None


def _openings(lock: Lock, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    along = ("credential__reservation__accommodation", "credential__staff_code", "credential__lock",
             "fallback__reservation__accommodation")  # fmt: skip
    rows: Iterable[Opening] = lock.openings.select_related(*along)[:SHOWN]
    return [
        {
            "at": moment(row.at, zone), "who": row.get_who_display(), "tone": WHO_TONES[Opening.Who(row.who)],
            "person": _who_came(row), "how": _how(row.method),
            "told_by": row.get_matched_by_display() if row.matched_by else "",
        }
        for row in rows
    ]  # fmt: skip


def _who_came(row: Opening) -> Any:
    stay = row.fallback.reservation if row.fallback else None
    if stay is not None:
        return page_of(stay, stay.guest_name or str(stay))
    return _whose(row.credential) if row.credential else row.name


def _how(method: str) -> str:
    said = {
        "temporary": _("PIN"), "offline_pd": _("offline code"), "fingerprint": _("finger"), "card": _("card"),
        "password": _("permanent PIN"), "key": _("key"), "face": _("face"), "dynamic": _("dynamic code"),
        "app": _("app"),
    }  # fmt: skip
    return str(said.get(method, method))


def _events(lock: Lock, zone: ZoneInfo | None) -> list[dict[str, Any]]:
    return [
        {"at": moment(row.at, zone), "kind": row.get_kind_display(),
         "tone": "danger" if row.kind in ALARMING else "warning"}
        for row in lock.events.all()[:SHOWN]
    ]  # fmt: skip


def _report(report: Any, zone: ZoneInfo | None) -> dict[str, Any] | None:
    if report is None:
        return None
    return {
        "at": moment(report.checked_at, zone), "tried": moment(report.tried_at, zone), "actor": report.actor,
        "error": report.error, "rows": differences(report.found, zone), "mending": report.mending,
    }  # fmt: skip


def _reason(state: breaker.State) -> str:
    return state.reason if state.is_open else ""
