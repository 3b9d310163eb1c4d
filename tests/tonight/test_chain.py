"""The chain of proofs as a table: one fact is changed, one link changes its light."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from smartlock.tonight.chain import Light, Mend, Step, chain
from smartlock.tonight.facts import ArrivalFacts, Backup, DoorFacts, JobFacts, Telling
from tests.builders import NOW

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GOOD = DoorFacts(
    "Door", chosen=True, accepted=True, proven=True, proven_at=NOW, battery_percent=80, backup=Backup.READY
)
BARE = DoorFacts("Door")
LIVE = JobFacts(next_at=NOW + HOUR)
FAILED = JobFacts(has_failed=True, error="No way.")
# Check-in in 40 minutes: the PIN is due since 20 minutes, and in ten more what is missing is urgent.
READY = ArrivalFacts(
    received_at=NOW - 48 * HOUR, check_in_at=NOW + 40 * MINUTE, ends_at=NOW + 48 * HOUR, due_at=NOW - 20 * MINUTE,
    doors=(GOOD,), telling=Telling.DONE, told_at=NOW,
)  # fmt: skip
SOON, LATER = NOW, NOW + 15 * MINUTE


def bare(**over: Any) -> ArrivalFacts:
    return replace(READY, doors=(BARE,), door_jobs=LIVE, telling=Telling.NOTHING_YET, **over)


def door(**over: Any) -> ArrivalFacts:
    return replace(READY, doors=(replace(GOOD, **over),), door_jobs=LIVE)


def message(telling: Telling, jobs: JobFacts = LIVE) -> ArrivalFacts:
    return replace(READY, telling=telling, telling_jobs=jobs, telling_error="No address.")


@pytest.mark.parametrize(
    ("facts", "at", "step", "light", "mend"),
    [
        (READY, SOON, Step.BOOKING, Light.GREEN, None),
        (replace(READY, is_mapped=False), SOON, Step.BOOKING, Light.RED, Mend.OPEN),
        (replace(READY, is_active=False), SOON, Step.BOOKING, Light.AMBER, Mend.OPEN),
        (READY, SOON, Step.CHOSEN, Light.GREEN, None),
        (bare(due_at=NOW + HOUR), SOON, Step.CHOSEN, Light.LATER, None),
        (bare(), SOON, Step.CHOSEN, Light.AMBER, Mend.RUN_NOW),
        (bare(), LATER, Step.CHOSEN, Light.RED, Mend.RUN_NOW),
        (replace(bare(), door_jobs=FAILED), SOON, Step.CHOSEN, Light.RED, Mend.RETRY),
        (replace(bare(due_at=NOW + HOUR), door_jobs=JobFacts()), SOON, Step.CHOSEN, Light.RED, Mend.REPLAN),
        (replace(bare(), doors=()), SOON, Step.CHOSEN, Light.RED, Mend.OPEN),
        (bare(is_withdrawn=True), SOON, Step.CHOSEN, Light.RED, Mend.READMIT),
        (bare(is_active=False), SOON, Step.CHOSEN, Light.NONE, None),
        (bare(), SOON, Step.ACCEPTED, Light.LATER, None),
        (door(accepted=False, proven=False), SOON, Step.ACCEPTED, Light.AMBER, Mend.RUN_NOW),
        (door(accepted=False, proven=False), LATER, Step.ACCEPTED, Light.RED, Mend.RUN_NOW),
        (door(accepted=False, proven=False, refused=True), SOON, Step.ACCEPTED, Light.RED, Mend.RUN_NOW),
        (READY, SOON, Step.ACCEPTED, Light.GREEN, None),
        (READY, SOON, Step.PROVEN, Light.GREEN, None),
        (bare(), LATER, Step.PROVEN, Light.LATER, None),
        (door(proven=False), SOON, Step.PROVEN, Light.AMBER, Mend.RUN_NOW),
        (door(proven=False), LATER, Step.PROVEN, Light.RED, Mend.RUN_NOW),
        (door(proven=False, bridged_until=NOW + 2 * HOUR), LATER, Step.PROVEN, Light.AMBER, Mend.RUN_NOW),
        (door(proven=False, bridged_until=NOW + HOUR), LATER, Step.PROVEN, Light.RED, Mend.RUN_NOW),
        (
            door(accepted=False, proven=False, bridged_until=NOW + 2 * HOUR),
            LATER,
            Step.ACCEPTED,
            Light.AMBER,
            Mend.RUN_NOW,
        ),
        (door(proven=False, sleeps=True), LATER, Step.PROVEN, Light.RED, Mend.WAKE),
        (door(proven=False, is_offline=True), LATER, Step.PROVEN, Light.RED, Mend.OPEN),
        (replace(READY, doors=(GOOD, replace(GOOD, proven=False))), LATER, Step.PROVEN, Light.RED, Mend.REPLAN),
        (READY, SOON, Step.BACKUP, Light.GREEN, None),
        (door(backup=Backup.NOT_SET_UP), SOON, Step.BACKUP, Light.NONE, None),
        (door(backup=Backup.ON_ITS_WAY), SOON, Step.BACKUP, Light.AMBER, None),
        (door(backup=Backup.NOT_SET_UP, replaced=True), SOON, Step.BACKUP, Light.GREEN, None),
        (READY, SOON, Step.LOCK, Light.GREEN, None),
        (door(is_offline=True), SOON, Step.LOCK, Light.RED, Mend.OPEN),
        (door(silent_since=NOW - 99 * HOUR), SOON, Step.LOCK, Light.RED, Mend.OPEN),
        (door(clock_fails=True), SOON, Step.LOCK, Light.RED, Mend.OPEN),
        (door(clock_ahead=True), SOON, Step.LOCK, Light.AMBER, Mend.OPEN),
        (door(battery_low=True, flat_at=NOW + 99 * HOUR), SOON, Step.LOCK, Light.AMBER, Mend.OPEN),
        (door(battery_low=True, flat_at=NOW + 10 * MINUTE), SOON, Step.LOCK, Light.RED, Mend.OPEN),
        (door(is_known=False), SOON, Step.LOCK, Light.AMBER, Mend.OPEN),
        (READY, SOON, Step.MESSAGE, Light.GREEN, None),
        (message(Telling.NOTHING_YET), SOON, Step.MESSAGE, Light.LATER, None),
        (message(Telling.PLANNED), SOON, Step.MESSAGE, Light.LATER, None),
        (message(Telling.PLANNED), LATER, Step.MESSAGE, Light.RED, Mend.RUN_NOW),
        (message(Telling.PLANNED, JobFacts()), LATER, Step.MESSAGE, Light.RED, Mend.RESEND),
        (message(Telling.SENDING), SOON, Step.MESSAGE, Light.AMBER, None),
        (message(Telling.FAILED), SOON, Step.MESSAGE, Light.AMBER, Mend.RUN_NOW),
        (message(Telling.FAILED, FAILED), SOON, Step.MESSAGE, Light.RED, Mend.RETRY),
        (message(Telling.UNREACHABLE), SOON, Step.MESSAGE, Light.RED, Mend.RESEND),
        (READY, SOON, Step.USE, Light.LATER, None),
        (door(used_at=NOW + 50 * MINUTE), NOW + HOUR, Step.USE, Light.GREEN, None),
        (door(wrong_pins=3), NOW + HOUR, Step.USE, Light.RED, Mend.WHY),
        (door(wrong_pins=3, used_at=NOW + 50 * MINUTE), NOW + HOUR, Step.USE, Light.GREEN, None),
        (READY, NOW + HOUR, Step.USE, Light.LATER, None),
    ],
)
def test_each_fact_lights_its_link(facts: ArrivalFacts, at: Any, step: Step, light: Light, mend: Mend | None) -> None:
    link = chain(facts, at).of(step)
    assert (link.light, link.mend) == (light, mend), link.text
    assert link.text


def test_the_first_red_link_is_the_trouble_that_is_told() -> None:
    facts = replace(door(proven=False, battery_low=True, flat_at=NOW), telling=Telling.UNREACHABLE)
    trouble = chain(facts, LATER).trouble
    assert trouble is not None
    assert trouble.step is Step.PROVEN
    assert chain(facts, LATER).worst is Light.RED


def test_an_arrival_far_ahead_is_calm_although_nothing_is_proven() -> None:
    calm = chain(bare(due_at=NOW + HOUR), NOW)
    assert calm.worst is Light.LATER
    assert calm.trouble is None
    assert not calm.is_proven


def test_readiness_is_the_share_of_proofs_that_can_be_had_beforehand() -> None:
    assert chain(READY, SOON).readiness == 100
    assert chain(bare(), SOON).readiness == round(100 * 2 / 6)  # booking and lock, of six: no backup is set up


def test_the_words_are_portuguese_where_portuguese_is_spoken() -> None:
    with translation.override("pt-br"):
        assert chain(door(proven=False, sleeps=True), LATER).of(Step.PROVEN).text.endswith("toque o teclado.")
