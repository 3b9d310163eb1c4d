"""Jobs due evenly over twenty seconds: how late does each begin?"""

from __future__ import annotations

from bench.contenders import BULLMQ, BULLMQ_HZ, CELERY, OURS, PROCRASTINATE
from bench.lateness import lateness
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import World

JOBS, SECONDS = 2000, 20.0


def run(world: World, name: str, size: Size) -> Sample:
    return lateness(world, name, size.of(JOBS), max(4.0, SECONDS * min(1, size.factor)))


PUNCTUALITY = Measurement(
    key="punctuality",
    title="Punctuality",
    what="2,000 jobs that do nothing, due evenly over 20 s. Lateness from the due time to the start of the job's own "
    "code. Ours lie in the table as if scheduled long ago and take the whole way: dispatcher, message, claim. BullMQ "
    "runs 50 in parallel, Celery 8 threads, Procrastinate 50 in parallel and polls every 20 ms (5 s unless told).",
    contenders=(OURS, BULLMQ, BULLMQ_HZ, CELERY, PROCRASTINATE),
    metrics={"p50": "p50, ms", "p99": "p99, ms", "max": "worst, ms", "early": "early", "doubled": "doubled",
             "missing": "missing", "cpu": "workers' CPU, s"},
    goals=(
        Goal("p50 at most 5 ms", lambda t: t.median(OURS, "p50"), at_most=5),
        Goal("p99 at most a quarter of BullMQ's", lambda t: t.ratio(OURS, BULLMQ, "p99"), at_most=0.25),
        Goal("nothing early", lambda t: t.most(OURS, "early"), at_most=0),
        Goal("nothing doubled or missing",
             lambda t: t.most(OURS, "doubled") + t.most(OURS, "missing"), at_most=0),
    ),
    run=run,
)  # fmt: skip
