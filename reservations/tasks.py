"""What is done again and again: the poll, feeds, silent sources, forgotten guests. ``smartlock.tasks`` says when."""

from __future__ import annotations

from contextlib import suppress

import structlog
from celery import shared_task
from django.utils import timezone

from reservations import erasure, feeds, listings, runs, silence
from reservations.stays.client import PATIENT, StaysClient, is_configured
from reservations.sync import Tell

log = structlog.get_logger(__name__)


def unheard(done: int, total: int, text: str) -> None:
    """For who does not want to know how far a walk is."""


def sync_near_stays(on_progress: Tell = unheard) -> None:
    """Arrivals and stays in house, all six types; and the nightly walk, should it have been cut off."""
    _poll(runs.NEAR, on_progress)
    if runs.unfinished(runs.AHEAD, now=timezone.now()):
        _poll(runs.AHEAD, on_progress)


def sync_stays_ahead(on_progress: Tell = unheard) -> None:
    """Ninety days, each stay in full with its guest."""
    _poll(runs.AHEAD, on_progress)
    runs.prune(now=timezone.now())


def sync_listings() -> None:
    """What is new at Stays waits for a person on the listings' page."""
    if not is_configured():
        return
    with StaysClient.from_settings(waits=PATIENT) as client:
        result = listings.sync(client, now=timezone.now())
    log.info("listings.read", seen=result.seen, new=result.new, unmapped=result.unmapped)


def read_feeds() -> int:
    return len(feeds.read_all(now=timezone.now()))


@shared_task(name="reservations.check_sources", ignore_result=True)
def check_sources() -> int:
    return silence.check(now=timezone.now())


def erase_guests() -> int:
    return erasure.erase_guests(now=timezone.now()).stays


def _poll(key: str, on_progress: Tell) -> None:
    """An answer that cannot be read (StaysError) changes nothing: the next time goes on with the same run."""
    if not is_configured():
        return
    today = timezone.localdate()
    start, end = runs.near_window(today) if key == runs.NEAR else runs.ahead_window(today)
    with StaysClient.from_settings(waits=PATIENT) as client, suppress(runs.Busy):
        _run, result = runs.run_sync(
            client, key, start, end, now=timezone.now, full=key == runs.AHEAD, on_progress=on_progress
        )
        runs.count_found(result, now=timezone.now())
