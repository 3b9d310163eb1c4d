"""A paused queue in which due work waits is told once a pause, and again when it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler import forgotten, queues, services
from scheduler.forgotten import PATIENCE, is_forgotten
from scheduler.models import Queue
from scheduler.signals import queue_forgotten, queue_resumed
from tests.builders import NOW
from tests.scheduler import kinds_for_tests  # noqa: F401  declares the kinds

MINUTE = timedelta(minutes=1)
LATER = NOW + PATIENCE


@pytest.mark.parametrize(
    ("oldest_due", "now", "expected"),
    [
        (None, LATER, False),  # nothing waits
        (NOW, LATER - MINUTE, False),  # not long yet
        (NOW, LATER, True),
        (NOW - 60 * MINUTE, LATER - MINUTE, False),  # overdue before: the pause is not to blame for that hour
        (NOW + 5 * MINUTE, LATER, False),
        (NOW + 5 * MINUTE, LATER + 5 * MINUTE, True),
    ],
)
def test_the_pause_and_the_work_must_both_be_old(oldest_due: datetime | None, now: datetime, expected: bool) -> None:
    assert is_forgotten(NOW, oldest_due, now) is expected


Told = list[tuple[str, str, int]]


@pytest.fixture
def told(db: None) -> Iterator[Told]:
    heard: Told = []

    def forgot(queue: Queue, waiting: int, **_: Any) -> None:
        heard.append(("forgotten", queue.name, waiting))

    def goes_on(queue: Queue, waiting: int, **_: Any) -> None:
        heard.append(("resumed", queue.name, waiting))

    queue_forgotten.connect(forgot)
    queue_resumed.connect(goes_on)
    yield heard
    queue_forgotten.disconnect(forgot)
    queue_resumed.disconnect(goes_on)


def pause(now: datetime = NOW) -> None:
    queues.pause("default", now=now, actor="ana")


def resume(now: datetime) -> None:
    queues.resume("default", now=now, actor="ben")


def test_a_pause_is_told_once_and_its_end_once(told: Told) -> None:
    pause()
    for due_at in (NOW, NOW + MINUTE, LATER + 60 * MINUTE):
        services.schedule("tests.plain", due_at=due_at, now=NOW)
    for minutes in (-1, 0, 1, 30):
        forgotten.check(now=LATER + minutes * MINUTE)
    resume(LATER + 31 * MINUTE)
    assert told == [("forgotten", "default", 2), ("resumed", "default", 2)]


def test_each_pause_is_told_anew(told: Told) -> None:
    services.schedule("tests.plain", due_at=NOW, now=NOW)
    for start in (NOW, NOW + 60 * MINUTE):
        pause(start)
        forgotten.check(now=start + PATIENCE)
        resume(start + PATIENCE + MINUTE)
    assert [word for word, *_ in told] == ["forgotten", "resumed"] * 2


def test_a_pause_without_due_work_is_nobodys_concern_nor_is_its_end(told: Told) -> None:
    services.schedule("tests.plain", due_at=NOW + 600 * MINUTE, now=NOW)
    pause()
    forgotten.check(now=LATER)
    resume(LATER)
    assert told == []


def test_a_queue_at_work_is_not_looked_at(told: Told) -> None:
    services.schedule("tests.plain", due_at=NOW, now=NOW)
    forgotten.check(now=LATER + 600 * MINUTE)
    assert told == []
