"""The plan, line by line of the table of design and docs: facts in, wanted jobs out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from locks.plan import CHANGE, GENERATE, REVOKE, CredentialFacts, HolderFacts, plan
from locks.provider import Window
from tests.builders import NOW

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GATE, DOOR, OLD = 1, 2, 9
STAY = HolderFacts(
    is_welcome=True, starts_at=NOW + DAY, ends_at=NOW + 3 * DAY,
    locks={GATE: HOUR, DOOR: 2 * HOUR},
)  # fmt: skip
WISH = Window(STAY.starts_at, STAY.ends_at)


def on(lock: int, **over: object) -> CredentialFacts:
    values = {"lock_id": lock, "wanted": True, "asked": WISH, "is_proven": True, "wish": WISH} | over
    return CredentialFacts(**values)  # type: ignore[arg-type]


def jobs(stay: HolderFacts, now: datetime = NOW) -> set[tuple[str, int, datetime | None]]:
    return {(job.kind, job.lock_id, job.due_at) for job in plan(stay, now)}


def test_a_confirmed_stay_gets_one_job_of_each_kind_and_lock() -> None:
    assert jobs(STAY) == {
        (GENERATE, GATE, NOW + 23 * HOUR), (GENERATE, DOOR, NOW + 22 * HOUR),
        (REVOKE, GATE, NOW + 3 * DAY), (REVOKE, DOOR, NOW + 3 * DAY),
    }  # fmt: skip


def test_without_a_right_there_is_nothing_to_do() -> None:
    assert jobs(replace(STAY, is_welcome=False)) == set()


def test_when_the_lead_has_passed_the_pin_is_due_since_then() -> None:
    assert (GENERATE, GATE, NOW + 23 * HOUR) in jobs(STAY, NOW + 2 * DAY)


def test_a_stay_that_is_over_plans_nothing() -> None:
    assert jobs(STAY, NOW + 3 * DAY) == set()


def test_a_proven_pin_only_waits_for_its_removal() -> None:
    stay = replace(STAY, locks={GATE: HOUR}, credentials=(on(GATE),))
    assert jobs(stay) == {(REVOKE, GATE, STAY.ends_at)}


def test_other_dates_before_the_lock_was_asked_move_both_jobs() -> None:
    later = replace(STAY, locks={GATE: HOUR}, credentials=(on(GATE, asked=None, is_proven=False),))
    assert jobs(later) == {(GENERATE, GATE, NOW + 23 * HOUR), (REVOKE, GATE, STAY.ends_at)}


def test_other_dates_after_the_lock_was_asked_change_the_window_at_once() -> None:
    former = Window(WISH.starts_at, WISH.ends_at - DAY)
    for proven in (True, False):
        stay = replace(STAY, locks={GATE: HOUR}, credentials=(on(GATE, asked=former, is_proven=proven),))
        assert jobs(stay) == {(CHANGE, GATE, None), (REVOKE, GATE, STAY.ends_at)}


def test_another_unit_means_off_the_old_lock_now() -> None:
    stay = replace(STAY, locks={GATE: HOUR}, credentials=(on(OLD, wanted=False),))
    assert (REVOKE, OLD, None) in jobs(stay)
    assert (GENERATE, GATE, NOW + 23 * HOUR) in jobs(stay)


def test_cancelled_means_off_every_lock_now_used_or_not() -> None:
    stay = replace(STAY, is_welcome=False, credentials=(on(GATE, wanted=False), on(DOOR, wanted=False)))
    assert jobs(stay) == {(REVOKE, GATE, None), (REVOKE, DOOR, None)}


def test_reactivated_while_the_old_pin_is_still_going_gets_a_new_one() -> None:
    stay = replace(STAY, locks={GATE: HOUR}, credentials=(on(GATE, wanted=False),))
    assert jobs(stay) == {(REVOKE, GATE, None), (GENERATE, GATE, NOW + 23 * HOUR)}


def test_after_check_out_the_removal_keeps_its_time() -> None:
    stay = replace(STAY, locks={GATE: HOUR}, credentials=(on(GATE),))
    assert jobs(stay, NOW + 4 * DAY) == {(REVOKE, GATE, STAY.ends_at)}


windows = st.sampled_from([None, WISH, Window(NOW, NOW + DAY)])
credentials = st.builds(
    CredentialFacts, lock_id=st.sampled_from([GATE, DOOR, OLD]), wanted=st.booleans(), asked=windows,
    is_proven=st.booleans(), wish=st.just(WISH),
)  # fmt: skip
stays = st.builds(
    HolderFacts, is_welcome=st.booleans(), starts_at=st.just(NOW + DAY), ends_at=st.just(NOW + 3 * DAY),
    locks=st.dictionaries(st.sampled_from([GATE, DOOR]), st.just(HOUR)),
    credentials=st.lists(credentials, max_size=4).map(tuple),
)  # fmt: skip


@given(stays, st.timedeltas(min_value=-DAY, max_value=5 * DAY))
def test_every_plan_is_sound(stay: HolderFacts, later: timedelta) -> None:
    """One job of a kind and lock at most; what is on a lock has a removal planned; the same facts, the same plan."""
    wanted = plan(stay, NOW + later)
    assert len({(job.kind, job.lock_id) for job in wanted}) == len(wanted)
    planned = {job.lock_id for job in wanted if job.kind == REVOKE}
    assert {credential.lock_id for credential in stay.credentials} <= planned
    assert {job.lock_id for job in wanted if job.kind != REVOKE} <= planned & set(stay.locks)
    assert plan(stay, NOW + later) == wanted
