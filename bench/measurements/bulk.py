"""Ten thousand jobs at once."""

from __future__ import annotations

import json
import sys

from bench.contenders import BULLMQ, FLOOR, OURS, node
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import NODE, World

JOBS = 10_000
PYTHON = [sys.executable, "-m"]


def commands(name: str) -> list[str]:
    return {
        OURS: [*PYTHON, "bench.ours", "in-bulk"],
        FLOOR: [*PYTHON, "bench.floor", "in-bulk"],
        BULLMQ: [node(), str(NODE / "in-bulk.js")],
    }[name]


def run(world: World, name: str, size: Size) -> Sample:
    world.valkey.flush()
    env = world.environment(world.fresh("turn"))
    count = size.of(JOBS, at_least=500)
    answer = json.loads(world.run("in-bulk", [*commands(name), str(count)], env).splitlines()[-1])
    return {"per_second": count / answer["seconds"]}


BULK = Measurement(
    key="bulk",
    title="In bulk",
    what="10,000 jobs a month ahead, each with a unique key. SmartLock: one call, one durable transaction. BullMQ: "
    "`addBulk` by the thousand. The floor: psycopg's `executemany` into the same table in one transaction.",
    contenders=(OURS, BULLMQ, FLOOR),
    metrics={"per_second": "jobs per s"},
    goals=(
        Goal("ahead of addBulk", lambda t: t.ratio(OURS, BULLMQ, "per_second"), at_least=1),
        Goal("at least 0.5 of the floor", lambda t: t.ratio(OURS, FLOOR, "per_second"), at_least=0.5),
    ),
    run=run,
)
