"""Everything that happened for one stay, and what is still to come, as one list: the latest on top."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from locks.models import LockEvent, Opening
from notifications.models import Message
from reservations.models import Reservation
from scheduler.models import Job, JobAttempt
from scheduler.services import jobs_of
from smartlock.admin import words
from smartlock.admin.base import add_doors, moment, page_of
from smartlock.audit.models import AuditLog
from smartlock.people.roles import CONTACTS
from webhooks.models import WebhookEvent

LONGEST = 60  # of each sort
Asking = User | AnonymousUser


@dataclass(frozen=True)
class Entry:
    """One line. ``label`` is how it stands, in the colour ``tone``; ``text`` says more, ``error`` what went wrong."""

    at: datetime
    icon: str
    sort: str
    title: SafeString | str
    label: str = ""
    tone: str = ""
    text: str = ""
    error: str = ""


def history(stay: Reservation, *, now: datetime, user: Asking) -> dict[str, Any]:
    """In time order, each sort only for those who may see it. A fixed number of queries, however much happened."""
    sorts = (
        (Job, _jobs), (Message, _messages), (WebhookEvent, _events), (AuditLog, _audit), (Opening, _openings),
        (LockEvent, _reports),
    )  # fmt: skip
    found = [entry for model, read in sorts if _may(user, model) for entry in read(stay, user)]
    zone = stay.accommodation.zone
    ordered = sorted(found, key=lambda one: (one.at, one.sort), reverse=True)
    return {
        "to_come": [{"entry": one, "at": moment(one.at, zone)} for one in ordered if one.at > now],
        "past": [{"entry": one, "at": moment(one.at, zone)} for one in ordered if one.at <= now],
    }


def _may(user: Asking, model: type[Any]) -> bool:
    """Openings and reports are shown to whoever may see the locks."""
    meta = model._meta
    if model in (Opening, LockEvent):
        return user.has_perm("locks.view_lock")
    return user.has_perm(f"{meta.app_label}.view_{meta.model_name}")


def _jobs(stay: Reservation, user: Asking) -> Iterator[Entry]:
    jobs: list[Any] = list(jobs_of(stay.subject).prefetch_related("attempts"))
    add_doors(jobs)
    names_doors = len({job.door for job in jobs if job.door}) > 1
    for job in jobs:
        title = page_of(job, words.kind(job.kind) + (f": {job.door}" if names_doors and job.door else ""))
        tone = words.JOB_TONES[Job.State(job.state)]
        yield Entry(
            job.finished_at or job.run_at, "schedule", _("job"), title, job.get_state_display(), tone,
            error=job.last_error if job.state == Job.State.FAILED or job.is_live() else "",
            text="" if job.is_live() else job.last_error if job.state == Job.State.CANCELLED else "",
        )  # fmt: skip
        yield from (_attempt(one, title) for one in job.attempts.all())


def _attempt(one: JobAttempt, title: SafeString) -> Entry:
    took = "" if one.duration_ms is None else " " + _("Took %(ms)d ms.") % {"ms": one.duration_ms}
    late = _("Try %(number)d, %(ms)d ms after its time.") % {"number": one.number, "ms": one.lateness_ms}
    outcome = JobAttempt.Outcome(one.outcome)
    return Entry(
        one.started_at, "play_arrow", _("try"), title, one.get_outcome_display(), words.OUTCOME_TONES[outcome],
        f"{late}{took} {one.worker}".strip(), one.error,
    )  # fmt: skip


def _messages(stay: Reservation, user: Asking) -> Iterator[Entry]:
    sees = user.has_perm(CONTACTS)
    for row in Message.objects.filter(reservation=stay).defer("knows")[:LONGEST]:
        yield Entry(
            row.sent_at or row.created_at, "mail", _("message"), page_of(row, row.get_template_display()),
            row.get_state_display(), words.MESSAGE_TONES[Message.State(row.state)], row.to if sees else "", row.error,
        )  # fmt: skip


def _events(stay: Reservation, user: Asking) -> Iterator[Entry]:
    if not stay.external_id:
        return
    for row in WebhookEvent.objects.filter(external_id=stay.external_id).defer("body", "headers")[:LONGEST]:
        yield Entry(
            row.received_at, "webhook", _("event"), page_of(row, row.action), row.get_state_display(),
            words.EVENT_TONES[WebhookEvent.State(row.state)], error=row.reason,
        )  # fmt: skip


def _audit(stay: Reservation, user: Asking) -> Iterator[Entry]:
    for row in AuditLog.objects.filter(subject=stay.subject)[:LONGEST]:
        yield Entry(row.at, "history", _("audit"), page_of(row, row.action), row.actor, text=row.summary)


def _openings(stay: Reservation, user: Asking) -> Iterator[Entry]:
    mine = Q(credential__reservation=stay) | Q(credential__fallback__reservation=stay)
    for row in Opening.objects.filter(mine).select_related("lock")[:LONGEST]:
        yield Entry(
            row.at, "lock_open", _("opening"), page_of(row.lock), _("opened"), "success", str(row.get_who_display())
        )


def _reports(stay: Reservation, user: Asking) -> Iterator[Entry]:
    """What the unit's locks complained of while the guest was expected."""
    rows = LockEvent.objects.filter(
        lock__accommodations=stay.accommodation_id, at__range=(stay.check_in_at, stay.check_out_at)
    )
    for row in rows.select_related("lock")[:LONGEST]:
        yield Entry(row.at, "report", _("lock"), page_of(row.lock), row.get_kind_display(), "warning")
