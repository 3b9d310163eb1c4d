"""Another way in: when it is needed, and which. The table of ``locks.fallback``, line by line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from locks.fallback import (
    BREATH,
    RENEW,
    VALID,
    Backup,
    Decision,
    DoorFacts,
    Offline,
    Step,
    decide,
    next_look,
    pool_size,
    pool_window,
    shut_from,
)
from locks.provider import Window

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
T = datetime(2026, 3, 6, 18, 0, tzinfo=UTC)
END = T + 3 * DAY
STAY = Window(T, END)
WARN = 30 * MINUTE
OWN = Window(T, END)
SPARE = Backup(7, Window(T - 30 * DAY, T + 100 * DAY))
BARE = DoorFacts(STAY, last_change=T - HOUR)
BACKED = replace(BARE, backups=(SPARE,))
OFFLINE = replace(BARE, offline=Offline.YES)
UNTRIED = replace(BARE, offline=Offline.UNTRIED)


def way(start: timedelta, end: timedelta) -> Window:
    return Window(T + start, END + end)


@pytest.mark.parametrize(
    ("door", "now", "expected"),
    [
        pytest.param(replace(BACKED, ways=(OWN,)), T, Decision(Step.NOTHING), id="her PIN is proven"),
        pytest.param(BACKED, T - 2 * HOUR, Decision(Step.LATER, T - WARN), id="not yet time to worry"),
        pytest.param(BACKED, T - WARN, Decision(Step.WARN, T), id="T-30, a backup stands ready"),
        pytest.param(OFFLINE, T - WARN, Decision(Step.WARN, T), id="T-30, offline codes"),
        pytest.param(BARE, T - WARN, Decision(Step.CALL, T), id="T-30, nothing stands ready"),
        pytest.param(UNTRIED, T - WARN, Decision(Step.CALL, T), id="T-30, an untried code is not ready"),
        pytest.param(replace(BACKED, warned_for=T), T - MINUTE, Decision(Step.LATER, T), id="warned once"),
        pytest.param(replace(BACKED, warned_for=T - DAY), T - MINUTE, Decision(Step.WARN, T), id="check-in moved"),
        pytest.param(replace(BACKED, warned_for=T), T - SECOND, Decision(Step.LATER, T), id="never before check-in"),
        pytest.param(BACKED, T, Decision(Step.BACKUP, T, SPARE), id="T, the backup"),
        pytest.param(replace(BACKED, offline=Offline.YES), T, Decision(Step.OFFLINE, T), id="T, a known offline first"),
        pytest.param(
            replace(BACKED, offline=Offline.UNTRIED), T, Decision(Step.BACKUP, T, SPARE), id="T, the backup is surer"
        ),
        pytest.param(UNTRIED, T, Decision(Step.OFFLINE, T), id="T, untried is better than none"),
        pytest.param(BARE, T, Decision(Step.CALL, T), id="T, nothing"),
        pytest.param(
            replace(OFFLINE, stay=Window(T, END + 30 * MINUTE)), END + 10 * MINUTE, Decision(Step.CALL, T),
            id="no full hour is left",
        ),
        pytest.param(
            replace(BARE, backups=(Backup(7, Window(T - DAY, T)),)), T, Decision(Step.CALL, T), id="a backup that ended"
        ),
        pytest.param(BACKED, END, Decision(Step.NOTHING), id="the stay is over"),
        pytest.param(
            replace(BACKED, last_change=T + HOUR), T + HOUR + MINUTE, Decision(Step.LATER, T + HOUR + BREATH),
            id="booked at the door: a breath for the lock",
        ),
        pytest.param(
            replace(BACKED, last_change=T - MINUTE), T, Decision(Step.LATER, T - MINUTE + BREATH),
            id="given a moment before check-in: the same breath",
        ),
        pytest.param(
            replace(BACKED, last_change=T - 10 * MINUTE), T - 9 * MINUTE, Decision(Step.LATER, T - 7 * MINUTE),
            id="no warning about a lock that was asked a minute ago",
        ),
        pytest.param(
            replace(BACKED, last_change=T + HOUR), T + HOUR + BREATH, Decision(Step.BACKUP, T, SPARE), id="and no more",
        ),
        pytest.param(
            replace(BACKED, ways=(way(timedelta(0), -DAY),)), END - DAY - WARN, Decision(Step.WARN, END - DAY),
            id="a longer stay that has not reached the lock",
        ),
        pytest.param(
            replace(BACKED, ways=(way(timedelta(0), -DAY),), warned_for=END - DAY), END - DAY,
            Decision(Step.BACKUP, END - DAY, SPARE), id="and its old window ends",
        ),
    ],
)  # fmt: skip
def test_the_table(door: DoorFacts, now: datetime, expected: Decision) -> None:
    assert decide(door, now, warn_before=WARN) == expected


@pytest.mark.parametrize(
    ("ways", "shut"),
    [
        pytest.param([], T, id="no code"),
        pytest.param([OWN], None, id="the whole stay"),
        pytest.param([way(30 * SECOND, -30 * SECOND)], None, id="locks may count in minutes"),
        pytest.param([way(HOUR, timedelta(0))], T, id="an earlier check-in that did not arrive"),
        pytest.param([way(timedelta(0), -DAY)], END - DAY, id="a later check-out that did not arrive"),
        pytest.param([way(timedelta(0), -DAY), way(2 * DAY, timedelta(0))], None, id="one takes over from the other"),
        pytest.param([way(2 * DAY, timedelta(0)), way(timedelta(0), -2 * DAY)], T + DAY, id="a gap between two"),
    ],
)
def test_from_when_the_door_is_shut(ways: list[Window], shut: datetime | None) -> None:
    assert shut_from(STAY, ways) == shut


@pytest.mark.parametrize(
    ("ways", "warned_for", "due"),
    [
        pytest.param((), None, T - WARN, id="first the warning"),
        pytest.param((), T, T, id="then check-in"),
        pytest.param((), T + DAY, T - WARN, id="warned of another check-in"),
        pytest.param((OWN,), None, None, id="nothing amiss"),
    ],
)
def test_when_to_look(ways: tuple[Window, ...], warned_for: datetime | None, due: datetime | None) -> None:
    assert next_look(STAY, ways, warned_for, warn_before=WARN) == due


def test_the_longest_backup_is_taken_and_among_equals_the_older() -> None:
    short, long, twin = (Backup(n, Window(T - DAY, T + days * DAY)) for n, days in ((1, 5), (2, 9), (3, 9)))
    assert decide(replace(BARE, backups=(short, twin, long)), T, warn_before=WARN).backup == long


@pytest.mark.parametrize(
    ("wanted", "capacity", "taken", "near", "size"),
    [
        pytest.param(1, 10, 3, 1, 1, id="plenty of room"),
        pytest.param(3, 10, 7, 1, 2, id="the pool shrinks"),
        pytest.param(1, 10, 10, 0, 0, id="a full lock"),
        pytest.param(2, 10, 8, 2, 0, id="near stays come first"),
        pytest.param(1, 10, 12, 5, 0, id="never negative"),
        pytest.param(0, 10, 0, 0, 0, id="none wanted"),
    ],
)
def test_guests_come_before_backups(wanted: int, capacity: int, taken: int, near: int, size: int) -> None:
    assert pool_size(wanted, capacity=capacity, taken=taken, near=near) == size


def test_a_backup_is_renewed_in_time_and_not_before() -> None:
    first = pool_window(T, None)
    assert first.starts_at <= T
    assert first.ends_at - T > VALID - DAY
    assert pool_window(T + 5 * HOUR, None) == first, "planning twice on one day gives the same window"
    assert pool_window(first.ends_at - RENEW - MINUTE, first) == first
    renewed = pool_window(first.ends_at - RENEW, first)
    assert renewed.starts_at == first.starts_at
    assert renewed.ends_at == first.ends_at - RENEW + VALID
