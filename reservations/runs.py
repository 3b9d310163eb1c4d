"""Runs of the poll: begun, cut off, taken up again. A run is a row; a worker that dies leaves it to the next tick.

No place in a list is remembered: a run that is taken up again searches anew, which is cheap, and reads only the stays
that were not read since the run began (``facts_at``), which is what costs.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F

from reservations.errors import StaysError
from reservations.models import SourceState, SyncRun
from reservations.stays.client import StaysClient
from reservations.sync import Clock, Result, Tell, sync

log = structlog.get_logger(__name__)
NEAR, AHEAD = "near", "ahead"
LEASE = timedelta(minutes=3)  # longer than the longest silence of one call with its pauses
NOTED_EVERY = timedelta(seconds=2)
TAKEN_UP_WITHIN = timedelta(hours=12)
KEPT = timedelta(days=30)
MOST_PROBLEMS = 200


class Busy(Exception):
    """Another process is at this very run."""


def near_window(today: date) -> tuple[date, date]:
    """Stays in house and arrivals: yesterday to the day after tomorrow."""
    return today - timedelta(days=1), today + timedelta(days=2)


def ahead_window(today: date) -> tuple[date, date]:
    return today - timedelta(days=1), today + timedelta(days=90)


def run_sync(
    client: StaysClient, key: str, start: date, end: date, *, now: Clock, full: bool = False, listing_id: str = "",
    actor: str = "system", on_progress: Tell = lambda _done, _total, _text: None,
) -> tuple[SyncRun, Result]:  # fmt: skip
    """Begin the run ``key``, or go on with the one that was cut off (its own dates count then).

    Raises Busy, and StaysError when Stays cannot be read: the row stays, and whoever comes next goes on with it.
    """
    run = _take(key, start, end, full=full, now=now(), actor=actor)
    before = {name: getattr(run, name) for name in ("created", "changed", "gone")}
    noted = [now()]

    def told(done: int, total: int, text: str) -> None:
        on_progress(done, total, text)
        if now() - noted[0] >= NOTED_EVERY:
            noted[0] = now()
            SyncRun.objects.filter(pk=run.pk).update(done=done, total=total, lease_until=now() + LEASE)

    try:
        result = sync(
            client, run.start, run.end, now=now, read_since=run.started_at if run.full else None, full=run.full,
            listing_id=listing_id, on_progress=told,
        )  # fmt: skip
    except StaysError as error:
        SyncRun.objects.filter(pk=run.pk).update(error=str(error), lease_until=now())
        raise
    for name, count in before.items():
        setattr(run, name, count + getattr(result, name))
    run.seen, run.done, run.total = result.seen, run.total or result.seen, run.total or result.seen
    run.problems, run.error = result.problems[:MOST_PROBLEMS], ""
    run.state, run.finished_at, run.lease_until = SyncRun.State.DONE, now(), None
    run.save()
    log.info("sync.done", key=key, seen=run.seen, created=run.created, changed=run.changed, gone=run.gone)
    return run, result


def unfinished(key: str, *, now: datetime) -> SyncRun | None:
    """A run that was cut off and can be taken up."""
    cut_off = SyncRun.objects.filter(key=key, state=SyncRun.State.RUNNING, started_at__gt=now - TAKEN_UP_WITHIN)
    return cut_off.filter(lease_until__lte=now).first()


@transaction.atomic
def count_found(result: Result, *, now: datetime) -> int:
    """Add to the count of what only the poll told. Returns how many stays that were."""
    found = result.created + result.changed + result.gone
    state, _created = SourceState.objects.get_or_create(name="stays", defaults={"watched_since": now})
    if found:
        SourceState.objects.filter(pk=state.pk).update(found_by_poll=F("found_by_poll") + found)
    return found


def prune(*, now: datetime) -> int:
    return SyncRun.objects.filter(started_at__lt=now - KEPT).exclude(state=SyncRun.State.RUNNING).delete()[0]


def _take(key: str, start: date, end: date, *, full: bool, now: datetime, actor: str) -> SyncRun:
    running = SyncRun.objects.filter(key=key, state=SyncRun.State.RUNNING)
    running.filter(started_at__lte=now - TAKEN_UP_WITHIN, lease_until__lte=now).update(
        state=SyncRun.State.ABANDONED, finished_at=now, lease_until=None
    )
    if running.filter(lease_until__lte=now).update(lease_until=now + LEASE, resumed=F("resumed") + 1):
        return running.get()
    try:
        with transaction.atomic():
            return SyncRun.objects.create(
                key=key, start=start, end=end, full=full, started_at=now, lease_until=now + LEASE, actor=actor[:150]
            )
    except IntegrityError:
        raise Busy(f"The sync {key!r} is running already.") from None
