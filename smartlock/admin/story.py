"""A stay's page: its chain of proofs, the PINs with what is wrong with them, why it did not open, its history."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from locks import caretaker
from locks.models import Credential, Fallback, total_exposure
from locks.reveal import may_be_shown
from locks.troubles import troubles_of
from reservations.models import Reservation
from smartlock.admin import words
from smartlock.admin.base import moment, page_of
from smartlock.admin.history import Asking, history
from smartlock.people.roles import REVEAL
from smartlock.tonight import gather, wording
from smartlock.tonight.chain import chain
from smartlock.verdict import evidence
from smartlock.verdict import words as verdict_words
from smartlock.verdict.judge import Cause, verdict

MINUTE = "%Y-%m-%dT%H:%M"  # as a browser's field for date and time has it


def story(reservation_id: int, *, now: datetime, user: Asking, asked: str = "") -> dict[str, Any] | None:
    """None for a stay that does not exist. A fixed number of queries, however much happened."""
    stay = words.with_doors(Reservation.objects.filter(pk=reservation_id)).first()
    if stay is None:
        return None
    zone = stay.accommodation.zone
    reveals = user.has_perm(REVEAL)
    return {
        "stay": stay,
        "zone": zone.key,
        "pin": words.pin(stay, now),
        "credentials": [
            {**_credential(row, zone, now), "reveal": reveals and row.pk if may_be_shown(row, now) else None}
            for row in stay.credentials.all()
        ],
        "exposed": round(total_exposure(stay.credentials.all(), now).total_seconds() / 60),
        "fallbacks": [_fallback(row, zone, now) for row in stay.fallbacks.select_related("lock", "credential")],
        "history": history(stay, now=now, user=user), "why": why(stay, asked, now=now),
        "links": _links(stay, now),
    }  # fmt: skip


def _credential(row: Credential, zone: Any, now: datetime) -> dict[str, Any]:
    return {
        "page": page_of(row, row.lock), "state": row.get_state_display(),
        "tone": words.CREDENTIAL_TONES[Credential.State(row.state)],
        "wish": "" if row.wanted else "unwanted", "opens": moment(row.starts_at, zone),
        "closes": moment(row.ends_at, zone), "proven": moment(row.proven_at, zone),
        "removed": moment(row.removed_at, zone), "used": moment(row.first_used_at, zone),
        "change": [{"opens": moment(one.starts_at, zone), "closes": moment(one.ends_at, zone)}
                   for one in row.pending_change or ()],
        "troubles": troubles_of(row, now), "exposed": round(row.exposure(now).total_seconds() / 60),
    }  # fmt: skip


def _fallback(row: Fallback, zone: Any, now: datetime) -> dict[str, Any]:
    """What was done about a silent door. An offline code says that it cannot be revoked."""
    return {
        "lock": page_of(row.lock), "kind": row.get_kind_display(), "shut": moment(row.shut_from, zone),
        "warned": moment(row.warned_at, zone), "handed": moment(row.handed_out_at, zone),
        "opens": moment(row.starts_at, zone), "closes": moment(row.ends_at, zone),
        "for_ever": row.kind == Fallback.Kind.OFFLINE, "tone": "success" if row.kind else "warning",
        "holds": row.holds(now),
    }  # fmt: skip


def _links(stay: Reservation, now: datetime) -> list[dict[str, Any]]:
    """The chain of proofs of a stay that is still to come or not over; nothing for any other."""
    if not stay.is_confirmed() or stay.check_out_at <= now:
        return []
    (known,) = gather.with_proofs(Reservation.objects.filter(pk=stay.pk))
    links = chain(gather.facts_of([known], now=now)[known.pk], now).links
    return [wording.link(link, stay.accommodation.zone) for link in links]


def why(stay: Reservation, asked: str, *, now: datetime) -> dict[str, Any]:
    """The verdict on the moment that was asked for (by the property's clock), or the last wrong PIN, or now."""
    zone = stay.accommodation.zone
    at = _moment_asked(asked, zone) or evidence.last_trouble(stay, now) or now
    findings = verdict(evidence.case_of(stay, at, caretaker.policy()))
    return {
        "at": at.astimezone(zone).strftime(MINUTE), "asked": bool(asked),
        "findings": [
            {"text": verdict_words.evidence(one, zone), "surety": verdict_words.SURETIES[one.surety],
             "tone": "success" if one.cause is Cause.OPENED else verdict_words.TONES[one.surety]}
            for one in findings
        ],
        "replies": [
            {"language": name, "code": code, "text": verdict_words.for_the_guest(findings[0], zone, code)}
            for code, name in verdict_words.LANGUAGES
        ],
    }  # fmt: skip


def _moment_asked(asked: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(asked, MINUTE).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None
