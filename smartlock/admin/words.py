"""States as an operator would say them. Pure but for reading rows that were fetched along.

A tone is one of Unfold's label colours: success, info, warning, danger, or "" for neutral.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import CharField, Exists, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from locks.holders import lead, stay_end
from locks.models import Credential, Fallback
from locks.plan import CHANGE, GENERATE
from notifications.models import Message, Notice
from reservations.models import Reservation
from scheduler.models import Job, JobAttempt
from webhooks.models import WebhookEvent

LATE = timedelta(minutes=15)
ON_LOCK = Credential.State.ON_LOCK

KINDS = {
    "locks.generate_pin": gettext_lazy("Put the PIN on the door"),
    "locks.change_window": gettext_lazy("Change when the PIN opens"),
    "locks.revoke_pin": gettext_lazy("Take the PIN off the door"),
    "locks.remove_foreign": gettext_lazy("Take a code off that is not ours"),
    "locks.fallback": gettext_lazy("Look for another way in"),
    "webhooks.process_event": gettext_lazy("Process an event from Stays"),
    "webhooks.sort_inbox": gettext_lazy("Sort what came from Stays"),
    "notifications.tell_guest": gettext_lazy("Write to the guest"),
    "notifications.tell_operator": gettext_lazy("Write to the operators"),
    "notifications.tell_of_queue": gettext_lazy("Write to the operators about a queue"),
    "recurring.run": gettext_lazy("Run a recurring job"),
}
JOB_TONES = {
    Job.State.SCHEDULED: "info", Job.State.RUNNING: "warning", Job.State.SUCCEEDED: "success",
    Job.State.FAILED: "danger", Job.State.CANCELLED: "",
}  # fmt: skip
OUTCOME_TONES = {
    JobAttempt.Outcome.STARTED: "warning", JobAttempt.Outcome.SUCCEEDED: "success", JobAttempt.Outcome.RETRY: "warning",
    JobAttempt.Outcome.WAITING: "info", JobAttempt.Outcome.FAILED: "danger", JobAttempt.Outcome.LOST: "danger",
    JobAttempt.Outcome.CANCELLED: "",
}  # fmt: skip
CREDENTIAL_TONES = {
    ON_LOCK: "success", Credential.State.REQUESTED: "info", Credential.State.REMOVING: "warning",
    Credential.State.FAILED: "danger", Credential.State.UNKNOWN: "warning", Credential.State.ABSENT: "",
}  # fmt: skip
STATUS_TONES = {
    Reservation.Status.BOOKED: "success", Reservation.Status.CONTRACT: "success", Reservation.Status.RESERVED: "info",
    Reservation.Status.CANCELED: "", Reservation.Status.DELETED: "", Reservation.Status.BLOCKED: "warning",
    Reservation.Status.MAINTENANCE: "warning",
}  # fmt: skip
EVENT_TONES = {
    WebhookEvent.State.RECEIVED: "info", WebhookEvent.State.PROCESSED: "success", WebhookEvent.State.IGNORED: "",
    WebhookEvent.State.PARKED: "danger", WebhookEvent.State.FAILED: "danger",
}  # fmt: skip

MESSAGE_TONES = {
    Message.State.SENDING: "info", Message.State.SENT: "success", Message.State.FAILED: "danger",
    Message.State.SKIPPED: "warning",
}  # fmt: skip
LEVEL_TONES = {Notice.Level.INFO: "info", Notice.Level.WARNING: "warning", Notice.Level.CRITICAL: "danger"}


@dataclass(frozen=True)
class Phrase:
    """Some words and the colour they are said in."""

    text: str
    tone: str = ""


def kind(name: str) -> str:
    return str(KINDS.get(name, name))


def with_doors(stays: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Fetch along all that ``pin`` looks at, in a fixed number of queries; nothing of the PINs themselves."""
    credentials = Credential.objects.select_related("lock").defer("pin_hash", "pin_sealed", "pin_fingerprint")
    others = Fallback.objects.exclude(kind="").select_related("credential")
    mine = Job.objects.filter(
        ~Q(subject=""),  # said aloud so that the partial index on subjects may be used
        subject=Concat(Value("reservation:"), Cast(OuterRef("pk"), CharField())),
        kind__in=[GENERATE, CHANGE],
    )
    return (
        stays.select_related("accommodation", "withdrawal")
        .prefetch_related(
            Prefetch("credentials", queryset=credentials),
            Prefetch("fallbacks", queryset=others),
            "accommodation__locks",
        )
        .annotate(
            is_planned=Exists(mine.filter(state__in=Job.LIVE)), has_failed=Exists(mine.filter(state=Job.State.FAILED))
        )
    )


def pin(stay: Reservation, now: datetime) -> Phrase:
    """How it stands with the PIN of a stay from ``with_doors``."""
    credentials = list(stay.credentials.all())
    left = [c for c in credentials if c.removed_at is None and c.asked_at is not None]
    if is_withdrawn(stay):
        return _leaving(stay, left, now) if left else Phrase(_("taken away by an operator"))
    if not stay.is_confirmed() or not stay.accommodation.active or now >= stay_end(stay):
        return _leaving(stay, left, now) if left else _none(stay, credentials)
    return _coming(stay, [c for c in credentials if c.wanted], now)


def is_withdrawn(stay: Reservation) -> bool:
    return hasattr(stay, "withdrawal")


def _none(stay: Reservation, credentials: list[Credential]) -> Phrase:
    if any(c.removed_at for c in credentials):
        return Phrase(_("removal proven"), "success")
    if not stay.accommodation.active:
        return Phrase(_("none: the unit is inactive"))
    return Phrase(_("none was given") if stay.is_confirmed() else _("none: not confirmed"))


def _leaving(stay: Reservation, left: list[Credential], now: datetime) -> Phrase:
    since = min(c.closes_at for c in left)
    late = now - since >= LATE
    text = _("still on the door since %(since)s") if late else _("being removed")
    return Phrase(text % {"since": _clock(since, stay)}, "danger" if late else "warning")


def _coming(stay: Any, wanted: list[Credential], now: datetime) -> Phrase:
    locks = list(stay.accommodation.locks.all())
    if not locks:
        return Phrase(_("the unit has no lock"), "warning")
    proven = [c for c in wanted if c.state == ON_LOCK]
    if len(proven) == len(locks):
        if all(c.proven == c.wish for c in proven):
            return Phrase(_("proven on the door") if len(locks) == 1 else _("proven on all doors"), "success")
        return Phrase(_("on the door, new times on their way"), "info")
    replaced = {other.lock_id for other in stay.fallbacks.all() if other.kind and other.holds(now)}
    if {lock.pk for lock in locks} <= {c.lock_id for c in proven} | replaced:
        return Phrase(_("lets herself in by another code"), "warning")
    if stay.has_failed and not stay.is_planned:
        return Phrase(_("failed: its job waits for you"), "danger")
    if not stay.is_planned:
        return Phrase(_("not planned: its job was called off"), "danger")
    due_at = stay.check_in_at - max(lead(lock) for lock in locks)
    if not wanted and now < due_at + timedelta(minutes=1):
        return Phrase(_("planned for %(due)s") % {"due": _clock(due_at, stay)}, "info")
    soon = now >= stay.check_in_at - timedelta(minutes=30)
    if proven:
        done = {"proven": len(proven), "doors": len(locks)}
        return Phrase(_("proven on %(proven)d of %(doors)d doors") % done, "danger" if soon else "warning")
    return Phrase(_("not proven yet"), "danger" if soon else "warning")


def _clock(at: datetime, stay: Reservation) -> str:
    return wall_clock(at, stay.accommodation.zone)


def wall_clock(at: datetime, zone: ZoneInfo | None = None) -> str:
    """Day and time as a clock on the wall there shows them: with the year, where it is not this one."""
    local, today = timezone.localtime(at, zone), timezone.localtime(timezone.now(), zone)
    return date_format(local, "D j M H:i" if local.year == today.year else "j M Y H:i")
