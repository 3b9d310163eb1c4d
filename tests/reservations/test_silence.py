"""A source that falls silent is told of once, and once more when it is back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from reservations import silence, tasks
from reservations.models import SourceState, SyncRun
from reservations.signals import source_back, source_silent
from reservations.silence import Source
from tests.builders import NOW
from tests.reservations.stays_account import point_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def told() -> Iterator[list[tuple[str, str]]]:
    words: list[tuple[str, str]] = []

    def silent(name: str, hours: float, **_: object) -> None:
        words.append(("silent", f"{name} {hours:.0f} h"))

    def back(name: str, **_: object) -> None:
        words.append(("back", name))

    source_silent.connect(silent)
    source_back.connect(back)
    yield words
    source_silent.disconnect(silent)
    source_back.disconnect(back)


def test_once_when_it_falls_silent_and_once_when_it_is_back(
    told: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[datetime | None] = [None]
    monkeypatch.setattr(silence, "_watched", [lambda: [Source("doorbell", "The doorbell", heard[0], 2)]])
    for hours, expected in ((0, 0), (2, 0), (3, 1), (50, 1)):
        assert silence.check(now=NOW + timedelta(hours=hours)) == expected
    assert told == [("silent", "doorbell 3 h")]
    heard[0] = NOW + timedelta(hours=51)
    assert silence.check(now=NOW + timedelta(hours=52)) == 0
    assert silence.check(now=NOW + timedelta(hours=54)) == 1
    assert [word for word, _ in told] == ["silent", "back", "silent"]
    assert SourceState.objects.get(name="doorbell").watched_since == NOW


def test_the_poll_is_watched_where_an_api_is_configured(settings: Settings) -> None:
    assert not any(found.source.name == "stays-api" for found in silence.silences(now=NOW))
    point_to(settings, "http://127.0.0.1:1")
    day = NOW.date()
    SyncRun.objects.create(key="near", start=day, end=day, started_at=NOW, finished_at=NOW, state="done")
    late = {found.source.name: found.too_long for found in silence.silences(now=NOW + timedelta(hours=3))}
    assert late["stays-api"]
    tasks.check_sources()
