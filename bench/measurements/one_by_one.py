"""A reservation saved with its two jobs, one transaction each."""

from __future__ import annotations

import json
import sys

from bench.contenders import BULLMQ, FLOOR, OURS, node
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import NODE, World

COUNT = 1000
PLAN = "SmartLock, with the plan"
PYTHON = [sys.executable, "-m"]


def commands(name: str) -> list[str]:
    return {
        OURS: [*PYTHON, "bench.ours", "one-by-one"],
        PLAN: [*PYTHON, "bench.ours", "whole-plan"],
        FLOOR: [*PYTHON, "bench.floor", "one-by-one"],
        BULLMQ: [node(), str(NODE / "one-by-one.js")],
    }[name]


def run(world: World, name: str, size: Size) -> Sample:
    world.valkey.flush()
    env = world.environment(world.fresh("turn"))
    count = size.of(COUNT, at_least=100)
    answer = json.loads(world.run("one-by-one", [*commands(name), str(count)], env).splitlines()[-1])
    return {"per_second": count / answer["seconds"]}


ONE_BY_ONE = Measurement(
    key="one-by-one",
    title="One by one",
    what="A reservation and its two jobs, written one after the other by one client. SmartLock: one durable "
    "transaction, Django's `save` with nobody listening and, as the product's planner does it, one `schedule_all` for "
    "both jobs. With the plan: what a booking really does in the product, a saved reservation whose jobs and letters "
    "are worked out from its facts. BullMQ: a pg INSERT and two `add`. The floor: three bare INSERTs by psycopg in one "
    "transaction, into the same tables.",
    contenders=(OURS, BULLMQ, FLOOR, PLAN),
    metrics={"per_second": "reservations per s"},
    goals=(
        Goal("ahead of pg INSERT and two BullMQ adds", lambda t: t.ratio(OURS, BULLMQ, "per_second"), at_least=1),
        Goal("at least 0.6 of the floor", lambda t: t.ratio(OURS, FLOOR, "per_second"), at_least=0.6),
    ),
    run=run,
)
