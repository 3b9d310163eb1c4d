"""Notices when a source falls silent: no webhook for a day, a poll or a feed that cannot be read for hours.

Rooms above enter what they hear with ``watch``; a source that was never heard of counts from when it is first watched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from reservations.models import Feed, SourceState, SyncRun
from reservations.signals import source_back, source_silent
from reservations.stays.client import is_configured
from smartlock.audit.services import record


@dataclass(frozen=True)
class Source:
    """Something that ought to be heard of every so often. ``name`` is for machines, ``label`` for people."""

    name: str
    label: str
    heard_at: datetime | None
    hours: int


@dataclass(frozen=True)
class Silence:
    """A source and how long it has been silent; ``too_long`` calls a person."""

    source: Source
    since: datetime
    seconds: float

    @property
    def too_long(self) -> bool:
        return self.seconds > self.source.hours * 3600


_watched: list[Callable[[], Iterable[Source]]] = []


def watch(sources: Callable[[], Iterable[Source]]) -> Callable[[], Iterable[Source]]:
    """A room enters the sources it hears of (in ``AppConfig.ready``)."""
    if sources not in _watched:
        _watched.append(sources)
    return sources


def silences(*, now: datetime) -> Iterator[Silence]:
    """Every source and how long it has said nothing."""
    first = dict(SourceState.objects.values_list("name", "watched_since"))
    for source in (source for sources in _watched for source in sources()):
        since = max(filter(None, (source.heard_at, first.get(source.name))), default=now)
        yield Silence(source, since, max(0.0, (now - since).total_seconds()))


def check(*, now: datetime) -> int:
    """Tell of each source that has newly fallen silent, or is back. Returns how many are silent."""
    silent = 0
    for silence in list(silences(now=now)):
        silent += silence.too_long
        _check_one(silence, now)
    return silent


@transaction.atomic
def _check_one(silence: Silence, now: datetime) -> None:
    source = silence.source
    SourceState.objects.get_or_create(name=source.name, defaults={"watched_since": now})
    state = SourceState.objects.select_for_update().get(name=source.name)
    if silence.too_long == (state.alarmed_at is not None):
        return
    SourceState.objects.filter(pk=state.pk).update(alarmed_at=now if silence.too_long else None)
    signal, verb = (source_silent, "silent") if silence.too_long else (source_back, "back")
    record(f"source.{verb}", f"source:{source.name}"[:64], summary=source.label)
    signal.send(SourceState, name=source.name, label=source.label, hours=silence.seconds / 3600)


@watch
def _polls() -> Iterator[Source]:
    if is_configured():
        last = SyncRun.objects.filter(state=SyncRun.State.DONE).order_by("-finished_at").first()
        heard_at = last.finished_at if last else None
        yield Source("stays-api", "Stays (API)", heard_at, settings.SOURCE_UNREAD_HOURS)


@watch
def _feeds() -> Iterator[Source]:
    for feed in Feed.objects.filter(active=True, accommodation__active=True).select_related("accommodation"):
        yield Source(
            f"ical:{feed.pk}", f"iCal: {feed.accommodation} ({feed})", feed.heard_at, settings.SOURCE_UNREAD_HOURS
        )
