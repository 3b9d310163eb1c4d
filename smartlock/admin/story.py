"""All that happened for one stay, gathered for its page: PINs, jobs with their tries, events, messages, audit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User

from locks.models import Credential, Fallback
from locks.reveal import may_be_shown
from locks.troubles import troubles_of
from notifications.models import Message
from reservations.models import Reservation
from scheduler.models import Job
from scheduler.services import jobs_of
from smartlock.admin import words
from smartlock.admin.base import DASH, moment, page_of
from smartlock.audit.models import AuditLog
from smartlock.people.roles import CONTACTS, REVEAL
from webhooks.models import WebhookEvent

LONGEST = 50
Asking = User | AnonymousUser


def story(reservation_id: int, *, now: datetime, user: Asking) -> dict[str, Any] | None:
    """None for a stay that does not exist. A fixed number of queries, however much happened."""
    stay = words.with_doors(Reservation.objects.filter(pk=reservation_id)).first()
    if stay is None:
        return None
    zone = stay.accommodation.zone
    reveals, contacts = user.has_perm(REVEAL), user.has_perm(CONTACTS)
    events = WebhookEvent.objects.filter(external_id=stay.external_id).defer("body", "headers")[:LONGEST]
    messages = Message.objects.filter(reservation=stay).defer("knows")[:LONGEST]
    return {
        "stay": stay,
        "zone": zone.key,
        "pin": words.pin(stay, now),
        "credentials": [
            {**_credential(row, zone, now), "reveal": reveals and row.pk if may_be_shown(row, now) else None}
            for row in stay.credentials.all()
        ],
        "fallbacks": [_fallback(row, zone, now) for row in stay.fallbacks.select_related("lock", "credential")],
        "jobs": [_job(row, zone) for row in jobs_of(stay.subject).prefetch_related("attempts")],
        "events": [
            {
                "page": page_of(row, row.action), "state": row.get_state_display(), "reason": row.reason,
                "tone": words.EVENT_TONES[WebhookEvent.State(row.state)], "at": moment(row.received_at, zone),
            }
            for row in events
        ],
        "messages": [
            {
                "page": page_of(row, row.get_template_display()), "error": row.error,
                "to": (row.to if contacts else "") or DASH,
                "state": row.get_state_display(), "tone": words.MESSAGE_TONES[Message.State(row.state)],
                "at": moment(row.sent_at or row.created_at, zone),
            }
            for row in messages
        ],
        "audit": [
            {"page": page_of(row, row.action), "actor": row.actor, "summary": row.summary, "at": moment(row.at, zone)}
            for row in AuditLog.objects.filter(subject=stay.subject)[:LONGEST]
        ],
    }  # fmt: skip


def _credential(row: Credential, zone: Any, now: datetime) -> dict[str, Any]:
    return {
        "page": page_of(row, row.lock), "state": row.get_state_display(),
        "tone": words.CREDENTIAL_TONES[Credential.State(row.state)],
        "wish": "" if row.wanted else "unwanted", "opens": moment(row.starts_at, zone),
        "closes": moment(row.ends_at, zone), "proven": moment(row.proven_at, zone),
        "removed": moment(row.removed_at, zone), "used": moment(row.first_used_at, zone),
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


def _job(row: Job, zone: Any) -> dict[str, Any]:
    return {
        "page": page_of(row, words.kind(row.kind)), "state": row.get_state_display(),
        "tone": words.JOB_TONES[Job.State(row.state)], "due": moment(row.due_at, zone),
        "next": moment(row.run_at, zone) if row.is_live() else DASH, "error": row.last_error,
        "attempts": [
            {
                "number": attempt.number, "outcome": attempt.get_outcome_display(), "error": attempt.error,
                "started": moment(attempt.started_at, zone), "late": attempt.lateness_ms,
                "took": attempt.duration_ms, "worker": attempt.worker,
                "tone": words.OUTCOME_TONES[type(attempt).Outcome(attempt.outcome)],
            }
            for attempt in row.attempts.all()
        ],
    }  # fmt: skip
