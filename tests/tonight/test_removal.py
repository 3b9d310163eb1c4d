"""Departures: when a PIN is off, for how long it was exposed, and what an operator can do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartlock.tonight.chain import Light, Mend
from smartlock.tonight.facts import JobFacts
from smartlock.tonight.removal import PinFacts, exposure_text, removal
from tests.builders import NOW

MINUTE = timedelta(minutes=1)
LIVE, FAILED = JobFacts(next_at=NOW), JobFacts(has_failed=True, error="No way.")


@pytest.mark.parametrize(
    ("pins", "jobs", "light", "minutes", "mend"),
    [
        ([], LIVE, Light.NONE, 0, None),
        ([PinFacts("A", NOW + MINUTE)], LIVE, Light.LATER, 0, None),
        ([PinFacts("A", NOW - 5 * MINUTE)], LIVE, Light.AMBER, 5, Mend.RUN_NOW),
        ([PinFacts("A", NOW - 20 * MINUTE)], LIVE, Light.RED, 20, Mend.RUN_NOW),
        ([PinFacts("A", NOW - 5 * MINUTE)], FAILED, Light.RED, 5, Mend.RETRY),
        ([PinFacts("A", NOW - 5 * MINUTE)], JobFacts(), Light.RED, 5, Mend.REPLAN),
        ([PinFacts("A", NOW - 90 * MINUTE, NOW - 87 * MINUTE)], JobFacts(), Light.GREEN, 3, None),
        ([PinFacts("A", NOW - 90 * MINUTE, NOW - 95 * MINUTE)], JobFacts(), Light.GREEN, 0, None),
        ([PinFacts("A", NOW - 90 * MINUTE, NOW), PinFacts("B", NOW - 30 * MINUTE)], LIVE, Light.RED, 90, Mend.RUN_NOW),
    ],
)
def test_a_departure_is_as_good_as_its_worst_door(
    pins: list[PinFacts], jobs: JobFacts, light: Light, minutes: int, mend: Mend | None
) -> None:
    found = removal(pins, jobs, NOW)
    assert (found.light, found.minutes, found.mend) == (light, minutes, mend)


def test_only_the_doors_that_still_hold_it_are_named_and_a_sleeper_is_to_be_touched() -> None:
    gone, there = PinFacts("Gate", NOW - 40 * MINUTE, NOW), PinFacts("Door", NOW - 40 * MINUTE, sleeps=True)
    text = removal([gone, there], LIVE, NOW).text
    assert "Door" in text
    assert "Gate" not in text
    assert "keypad" in text


def test_exposure_is_told_only_when_there_was_some() -> None:
    assert [exposure_text(minutes) for minutes in (0, 1, 7)] == ["", "1 minute exposed", "7 minutes exposed"]
