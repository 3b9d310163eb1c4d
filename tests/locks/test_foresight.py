"""When a person is called to a weak battery or a silent lock: tables of facts and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from locks.foresight import Expected, LockFacts, Policy, Trouble, concerns, flat_at, gaps
from locks.provider import Radio, Window

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = Policy()


def stay(start: float, end: float, *, is_ready: bool = False) -> Expected:
    """In days from now."""
    return Expected(Window(NOW + start * DAY, NOW + end * DAY), is_ready)


def in_days(at: datetime | None) -> float | None:
    return None if at is None else round((at - NOW) / DAY, 2)


@pytest.mark.parametrize(
    ("percent", "stays", "tell_in", "turnover_in"),
    [
        pytest.param(21, [], "fine", None, id="not low yet"),
        pytest.param(20, [], -1.0, 0.0, id="an empty unit: now is as good as any time"),
        pytest.param(20, [stay(-1, 3)], 2.0, 3.0, id="in house: a day before the guest leaves"),
        pytest.param(20, [stay(-1, 3), stay(3, 6)], 5.0, 6.0, id="no break between two stays: after the second"),
        pytest.param(20, [stay(-1, 3), stay(3 + 4 / 24, 6)], 2.0, 3.0, id="four hours are a turnover"),
        pytest.param(20, [stay(-1, 40)], 0.0, None, id="a long stay that the battery does not outlast: at once"),
        pytest.param(7, [stay(-1, 3)], 0.0, None, id="it does not last until then: at once"),
        pytest.param(2, [], -1.0, 0.0, id="flat and empty"),
    ],
)
def test_a_low_battery_is_told_in_time_for_the_next_turnover(
    percent: int, stays: list[Expected], tell_in: float | str, turnover_in: float | None
) -> None:
    lock = LockFacts("zigbee", heard_at=NOW, batteries=((NOW, percent),), stays=tuple(stays))
    found = concerns(lock, POLICY, NOW)
    if tell_in == "fine":
        assert found == []
        return
    (concern,) = found
    if percent <= POLICY.flat_percent:  # no days left: whatever the gap, it is now
        assert concern.trouble == Trouble.BATTERY
        assert concern.tell_at is not None
        assert concern.tell_at <= NOW
        return
    assert (concern.trouble, in_days(concern.tell_at)) == (Trouble.BATTERY, tell_in)
    assert in_days(concern.turnover.starts_at if concern.turnover else None) == turnover_in


@pytest.mark.parametrize(
    ("radio", "heard_days_ago", "stays", "backup_in", "tell_in"),
    [
        pytest.param("zigbee", 0.4, [stay(1, 3)], None, "fine", id="a short outage is none"),
        pytest.param("wifi", 6.9, [stay(1, 3)], None, "fine", id="Wi-Fi locks sleep"),
        pytest.param("zigbee", 1, [], None, None, id="nobody comes: shown, not told"),
        pytest.param("zigbee", 1, [stay(1, 3, is_ready=True)], None, None, id="its PIN is on the lock already"),
        pytest.param("zigbee", 1, [stay(10, 12)], None, -1.0, id="empty until then: go when it suits"),
        pytest.param("zigbee", 1, [stay(-1, 5, is_ready=True), stay(6, 8)], None, 3.0, id="three days before arrival"),
        pytest.param(
            "zigbee", 1, [stay(-1, 9, is_ready=True), stay(14, 16)], None, 8.0, id="or the day before the gap"
        ),
        pytest.param("wifi", 7.1, [stay(1, 3)], None, -2.0, id="a Wi-Fi lock after a week"),
        pytest.param("zigbee", 1, [stay(1, 3)], 30, None, id="a backup PIN stands in"),
        pytest.param("zigbee", 1, [stay(1, 3)], 2, -2.0, id="a backup that ends within three days does not"),
        pytest.param("zigbee", 1, [stay(5, 7)], 4, -1.0, id="nor one that ends before the arrival"),
    ],
)
def test_silence_is_told_when_a_guest_depends_on_the_lock(
    radio: Radio, heard_days_ago: float, stays: list[Expected], backup_in: float | None, tell_in: float | str | None
) -> None:
    lock = LockFacts(
        radio, heard_at=NOW - heard_days_ago * DAY, stays=tuple(stays),
        backup_until=None if backup_in is None else NOW + backup_in * DAY,
    )  # fmt: skip
    found = concerns(lock, POLICY, NOW)
    if tell_in == "fine":
        assert found == []
        return
    (concern,) = found
    assert (concern.trouble, concern.since) == (Trouble.SILENT, NOW - heard_days_ago * DAY)
    assert in_days(concern.tell_at) == tell_in


def test_a_lock_that_never_said_anything_is_not_silent() -> None:
    assert concerns(LockFacts("zigbee", stays=(stay(1, 2),)), POLICY, NOW) == []


def test_a_battery_goes_on_as_it_went_since_it_was_changed() -> None:
    drained = tuple((NOW + day * DAY, percent) for day, percent in [(-30, 12), (-20, 100), (-10, 60), (0, 20)])
    flat = flat_at(drained, POLICY)
    assert in_days(flat) == pytest.approx(3.75)  # 4 % a day, 15 % above flat
    assert in_days(flat_at(((NOW, 20),), POLICY)) == 15.0  # one reading: 1 % a day is assumed
    assert flat_at((), POLICY) is None


def test_gaps_are_what_no_stay_covers() -> None:
    lock = LockFacts("ble", stays=(stay(4, 6), stay(-1, 2), stay(1, 3), stay(6, 8)))
    found = [(in_days(gap.starts_at), in_days(gap.ends_at)) for gap in gaps(lock, NOW)]
    assert found == [(3.0, 4.0), (8.0, 373.0)]
