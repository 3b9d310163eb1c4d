"""Between receipt and processing: stored events wait a moment, and are handed on as one job for each reservation.

The event's row is the inbox: what is ``received`` and not handed on will be, by a job that each receipt asks for or, at
the latest, by the tick every ten seconds. So a burst of events costs one reading, a flood delays its own processing
and nothing else, and no event is left behind whatever happened to its job.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from reservations import services as reservations
from scheduler import services as jobs
from scheduler.models import Job
from webhooks.models import WebhookEvent

log = structlog.get_logger(__name__)
State = WebhookEvent.State
SORT = "webhooks.sort_inbox"
PROCESS = "webhooks.process_event"
SETTLE = timedelta(seconds=2)  # a reservation is read when it has been quiet for so long,
LONGEST = timedelta(seconds=10)  # or its first event has waited for so long
LOOK = 2000  # events looked at in one round
FORSAKEN = timedelta(minutes=2)  # handed on so long ago: is there still a job that minds it?


@dataclass
class _Bundle:
    """The waiting events of one reservation, and who sent the first of them."""

    sender: tuple[str, str | None]
    first: datetime
    last: datetime
    ids: list[int] = field(default_factory=list)

    def add(self, event: WebhookEvent) -> None:
        self.ids.append(event.pk)
        at = event.waits_since
        self.first, self.last = min(self.first, at), max(self.last, at)

    def is_settled(self, now: datetime) -> bool:
        return now - self.last >= SETTLE or now - self.first >= LONGEST


_asked_for: datetime | None = None  # until when this process knows that the inbox will be looked at


def wake(now: datetime) -> None:
    """In the caller's transaction: have the inbox sorted once what came by ``now`` has settled.

    All who ask within one second ask for the same job; a process that knows of it does not ask again.
    """
    if is_awaited(now):
        return
    due_at = _next_look(now)
    jobs.schedule(
        SORT, due_at=due_at, now=now, subject="webhooks.inbox", live_key=f"{SORT}:{due_at:%Y%m%d%H%M%S}"
    )  # fmt: skip
    transaction.on_commit(lambda: _remember(due_at))


def is_awaited(now: datetime) -> bool:
    """Whether this process knows of a job, committed, that will sort what has come by ``now``."""
    return _next_look(now) == _asked_for


def _next_look(now: datetime) -> datetime:
    return datetime.fromtimestamp(math.ceil((now + SETTLE).timestamp()), UTC)


def _remember(due_at: datetime | None) -> None:
    global _asked_for
    _asked_for = due_at


def forget() -> None:
    """Ask anew, whatever this process has asked for: its database is another one (tests)."""
    _remember(None)


def sort(*, now: datetime) -> int:
    """Hand on what has settled, new events before replayed ones; returns how many jobs that made.

    Each sender (source and address) may start ``WEBHOOK_RATE`` reservations a second; the rest waits for its turn.
    """
    bundles = _bundles(_by_long_id(_waiting()[:LOOK]))
    settled = {about: bundle for about, bundle in bundles.items() if bundle.is_settled(now)}
    started: Counter[tuple[str, str | None]] = Counter()
    for about, bundle in settled.items():
        if started[bundle.sender] < settings.WEBHOOK_RATE:
            started[bundle.sender] += _hand_on(about, bundle.ids, now)
    if _waiting().exists():
        wake(now)
    return started.total()


def _waiting() -> QuerySet[WebhookEvent]:
    rows = WebhookEvent.objects.filter(state=State.RECEIVED, handed_on_at__isnull=True)
    fields = ("id", "source", "external_id", "remote_address", "received_at", "replayed_at")
    return rows.only(*fields).order_by(F("replayed_at").asc(nulls_first=True), "received_at", "id")


def _by_long_id(events: Iterable[WebhookEvent]) -> list[WebhookEvent]:
    """Some events give the short id alone. Of a stay we know they get its long one: one reservation, one reader."""
    waiting = list(events)
    for short, long in reservations.long_ids({event.external_id for event in waiting}).items():
        same = [event for event in waiting if event.external_id == short]
        WebhookEvent.objects.filter(pk__in=[event.pk for event in same]).update(external_id=long)
        for event in same:
            event.external_id = long
    return waiting


def _bundles(events: Iterable[WebhookEvent]) -> dict[str, _Bundle]:
    """By whom they are about, in the order of the first of each."""
    bundles: dict[str, _Bundle] = {}
    for event in events:
        sender, at = (event.source, event.remote_address), event.waits_since
        bundles.setdefault(event.about, _Bundle(sender, first=at, last=at)).add(event)
    return bundles


@transaction.atomic
def _hand_on(about: str, ids: list[int], now: datetime) -> bool:
    """One live job for each reservation. One that waits takes these along; one that runs may have read already."""
    job = jobs.schedule(
        PROCESS, due_at=now, now=now, subject=about, live_key=f"{PROCESS}:{about}", payload={"event": ids[-1]}
    )  # fmt: skip
    if job.state == Job.State.RUNNING:
        return False
    if job.run_at > now + LONGEST:  # it waits for Stays to come back; news is a reason to look
        jobs.reschedule(Job.objects.filter(pk=job.pk), due_at=now, now=now)
    WebhookEvent.objects.filter(pk__in=ids, state=State.RECEIVED).update(handed_on_at=now)
    return True


def put_back(events: QuerySet[WebhookEvent], *, now: datetime) -> int:
    """Have these events handed on once more, after whatever is new; returns how many."""
    count = events.update(state=State.RECEIVED, reason="", processed_at=None, handed_on_at=None, replayed_at=now)
    if count:
        wake(now)
    return count


def look_after(*, now: datetime) -> int:
    """Events whose job is gone: handed on again, or to the shelf when a person called the job off."""
    forsaken: dict[str, list[int]] = defaultdict(list)
    handed = WebhookEvent.objects.filter(state=State.RECEIVED, handed_on_at__lt=now - FORSAKEN)
    for event in handed.only("id", "external_id").order_by("handed_on_at")[:LOOK]:
        forsaken[event.about].append(event.pk)
    keys = [f"{PROCESS}:{about}" for about in forsaken]
    minded = set(Job.objects.filter(live_key__in=keys, state__in=Job.LIVE).values_list("subject", flat=True))
    return sum(_settle_forsaken(about, ids, now) for about, ids in forsaken.items() if about not in minded)


def _settle_forsaken(about: str, ids: list[int], now: datetime) -> int:
    last = Job.objects.filter(kind=PROCESS, subject=about).order_by("-id").first()
    events = WebhookEvent.objects.filter(pk__in=ids, state=State.RECEIVED)
    if last is None or last.state == Job.State.SUCCEEDED:
        return events.update(handed_on_at=None)
    why = last.last_error or "Its job was called off."
    return shelve(events, f"{why} Replay the event, or try its job again.", now=now)


def shelve(events: QuerySet[WebhookEvent], reason: str, *, now: datetime) -> int:
    """The dead ones: nobody tries them again until a person says so."""
    count = events.update(state=State.FAILED, reason=reason, processed_at=now)
    if count:
        log.warning("event.shelved", events=count)
    return count


def unknown(action: str) -> str:
    return f"{action} is not an action we know: look at its body."
