"""The judge of the chaos run sees each kind of broken promise, and takes a blow for an excuse only where it is one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.chaos.evidence import Blow, Effect, Evidence, Move, Order, Promise, Visit
from tests.chaos.report import report
from tests.chaos.verdict import FORBIDDEN, judge

KILL = Blow(at=101.5, what="kill", names=("worker1",), pids=(11,))


def moves(*states: str, job: int = 1) -> dict[tuple[int, int], Move]:
    """One move a second from 100 on, all due at 100."""
    return {
        (job, number + 1): Move(job, number + 1, state, 100.0, 100.0 + number) for number, state in enumerate(states)
    }


def good() -> Evidence:
    """A job that was due at 100, began at 101.1, did its one deed and succeeded at 102."""
    return Evidence(
        orders={1: Order(1, steps=1, subject="door:1", promises=[Promise(99.0, 99.1, 100.0)])},
        rows={1: ("succeeded", "")},
        moves=moves("scheduled", "running", "succeeded"),
        visits=[Visit(1, 2, "worker1", 11, began=101.1, left=101.4)],
        effects=[Effect(1, 1, 2, "worker1", 11, asked=101.2, began=101.3)],
    )


def rescued() -> Evidence:
    """The same, but the first worker fell silent after the deed; a second one did it again."""
    seen = good()
    seen.moves = moves("scheduled", "running", "scheduled", "running", "succeeded")
    seen.visits = [replace(seen.visits[0], left=None), Visit(1, 4, "worker2", 22, began=103.1, left=103.4)]
    seen.effects.append(Effect(1, 1, 4, "worker2", 22, asked=103.2, began=103.3))
    return seen


def broken(evidence: Evidence) -> list[str]:
    verdict = judge(evidence)
    return [name for name in FORBIDDEN if verdict.count(name)]


def test_a_job_that_ran_once_after_its_time_is_in_order() -> None:
    verdict = judge(good())
    assert verdict.is_clean
    assert verdict.lateness == {"exclusive": [pytest.approx(1.1)]}
    assert "PASSED" in report(good(), verdict, 1.0)


@pytest.mark.parametrize("row", [("scheduled", ""), ("failed", "gave up"), None])
def test_a_job_that_does_not_end_as_ordered_is_lost(row: tuple[str, str] | None) -> None:
    seen = good()
    seen.rows = {1: row} if row else {}
    assert broken(seen) == ["lost"]
    assert "FAILED" in report(seen, judge(seen), 1.0)


def test_a_success_without_its_deed_is_lost() -> None:
    seen = good()
    seen.effects = []
    assert broken(seen) == ["lost"]


def test_a_deed_that_a_kill_kept_from_being_recorded_may_be_repeated() -> None:
    seen = rescued()
    seen.blows = [KILL]
    verdict = judge(seen)
    assert verdict.is_clean
    assert verdict.count("repeated") == 1


@pytest.mark.parametrize("blow", [None, replace(KILL, pids=(22,)), replace(KILL, at=110.0), Blow(101.5, "flush")])
def test_a_repetition_that_no_blow_against_that_process_explains_is_doubled(blow: Blow | None) -> None:
    seen = rescued()
    seen.blows = [blow] if blow else []
    assert broken(seen) == ["doubled"]


def test_a_deed_after_a_success_is_doubled_whatever_happened() -> None:
    seen = rescued()
    seen.blows = [KILL]
    seen.moves = moves("scheduled", "running", "succeeded", "running", "succeeded")
    assert broken(seen) == ["doubled"]


def test_two_starts_or_two_deeds_under_one_claim_are_doubled() -> None:
    seen = good()
    seen.visits = [replace(seen.visits[0], copies=2)]
    assert broken(seen) == ["doubled"]
    seen = good()
    seen.effects = [replace(seen.effects[0], copies=2)]
    assert broken(seen) == ["doubled"]


def test_a_start_before_the_row_s_time_or_a_deed_before_the_agreed_one_is_early() -> None:
    seen = good()
    seen.moves = {key: replace(move, run_at=101.15) for key, move in seen.moves.items()}
    assert broken(seen) == ["early"]
    seen = good()
    seen.orders[1].promises.append(Promise(99.5, 99.6, 150.0))
    assert broken(seen) == ["early"]


def test_a_deed_that_crosses_a_move_may_go_by_either_time() -> None:
    seen = good()
    seen.orders[1].promises.append(Promise(101.25, 101.35, 150.0))
    assert broken(seen) == []


def test_a_deed_asked_for_after_the_cancel_is_forbidden_and_one_under_way_is_told() -> None:
    seen = good()
    seen.rows = {1: ("cancelled", "")}
    seen.moves = moves("scheduled", "running", "cancelled")
    seen.orders[1].cancelled_at = 101.1
    assert broken(seen) == ["after cancel"]
    seen.orders[1].cancelled_at = 102.1
    seen.effects = [replace(seen.effects[0], began=102.9)]
    verdict = judge(seen)
    assert verdict.is_clean
    assert verdict.count("under way") == 1


def test_a_cancelled_job_that_came_back_is_forbidden() -> None:
    seen = good()
    seen.orders[1].cancelled_at = 103.0
    assert broken(seen) == ["after cancel"]


def test_a_zombie_that_acts_is_stale() -> None:
    seen = rescued()
    seen.blows = [replace(KILL, what="freeze")]
    seen.orders[1].steps = 2
    seen.effects += [
        Effect(1, 2, 4, "worker2", 22, asked=103.3, began=103.4),
        Effect(1, 2, 2, "worker1", 11, asked=103.5, began=103.6),
    ]
    assert "stale" in broken(seen)


def test_two_at_work_on_one_subject_overlap_unless_the_first_had_lost_its_claim() -> None:
    seen = good()
    seen.orders[2] = Order(2, steps=0, subject="door:1", promises=[Promise(99.0, 99.1, 100.0)])
    seen.rows[2] = ("succeeded", "")
    seen.moves |= moves("scheduled", "running", "succeeded", job=2)
    seen.visits.append(Visit(2, 2, "worker2", 22, began=101.2, left=101.25))
    assert broken(seen) == ["overlapping"]
    seen.visits = [seen.visits[1], replace(seen.visits[0], left=140.0)]
    seen.visits[0] = replace(seen.visits[0], began=102.5, left=102.6)
    assert broken(seen) == []


def test_a_process_that_ends_by_itself_is_told() -> None:
    seen = good()
    seen.fallen = ["beat ended with 1"]
    assert broken(seen) == ["fallen"]
