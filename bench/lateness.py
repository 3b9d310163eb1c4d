"""Gives a contender no-op jobs with due times and reads from the journal when each began."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from bench.contenders import Turn, turn
from bench.journal import Journal, Plan
from bench.measurement import Sample
from bench.stats import percentile
from bench.world import BenchError, World

SETTLE_SECONDS = 1.0  # for an execution too many to show itself
SLOWEST_PER_SECOND = 500  # how fast the slowest contender takes jobs in
EARLY_MS = 1.0  # clocks of a machine agree better than this; milliseconds are what some count in


def first_due(count: int) -> float:
    """Far enough ahead that even the slowest has been given all jobs before the first is due."""
    return time.time() + 6 + count / SLOWEST_PER_SECOND


def lateness(
    world: World,
    name: str,
    count: int,
    spread: float,
    *,
    database: str = "",
    before: Callable[[Turn], None] | None = None,
) -> Sample:
    """``count`` jobs over ``spread`` seconds; milliseconds from the due time to the start."""
    journal = Journal(world.directory / "journal")
    with turn(world, name, journal, database=database) as taken:
        if before is not None:
            before(taken)
        plan = Plan(count, first_due(count), spread)
        taken.schedule(plan)
        if time.time() > plan.first:
            raise BenchError(f"{name}: giving it {count} jobs took until after the first was due")
        cpu = taken.cpu_seconds()
        journal.wait_for(count, plan.first + spread + 60)
        spent = taken.cpu_seconds() - cpu
        time.sleep(SETTLE_SECONDS)
    return {**summary(plan, journal), "cpu": spent}


def summary(plan: Plan, journal: Journal) -> Sample:
    starts = journal.starts()
    late = [(start - plan.due(number)) * 1000 for number, start in starts]
    times = Counter(number for number, _ in starts)
    return {
        "p50": percentile(late, 50),
        "p99": percentile(late, 99),
        "max": max(late, default=float("nan")),
        "early": float(sum(one < -EARLY_MS for one in late)),
        "doubled": float(sum(count - 1 for count in times.values())),
        "missing": float(plan.count - len(times)),
        "seconds": max((start for _, start in starts), default=float("nan")) - plan.first,
    }
