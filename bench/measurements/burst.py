"""Many jobs due in one instant: how long until the last has begun?"""

from __future__ import annotations

from bench.contenders import BULLMQ, CELERY, OURS
from bench.lateness import lateness
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import World

JOBS = 10_000


def run(world: World, name: str, size: Size) -> Sample:
    return lateness(world, name, size.of(JOBS), 0.0)


BURST = Measurement(
    key="burst",
    title="Burst",
    what="10,000 jobs that do nothing, all due in one instant, until the last has run.",
    contenders=(OURS, BULLMQ, CELERY),
    metrics={"seconds": "until the last, s", "p50": "p50, ms", "cpu": "workers' CPU, s", "early": "early",
             "doubled": "doubled", "missing": "missing"},
    goals=(
        Goal("not behind BullMQ", lambda t: t.ratio(OURS, BULLMQ, "seconds"), at_most=1),
        Goal("none doubled, none missing",
             lambda t: t.most(OURS, "doubled") + t.most(OURS, "missing"), at_most=0),
        Goal("none early", lambda t: t.most(OURS, "early"), at_most=0),
    ),
    run=run,
)  # fmt: skip
