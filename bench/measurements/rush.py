"""Two thousand guests arrive at the same hour: how soon is the last PIN proven, and at what cost?"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from contextlib import ExitStack

from bench.contenders import BULLMQ, OURS, node, processes
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import NODE, BenchError, World
from deploy.services import free_port

PINS = 2000
SECONDS_PER_PIN = 0.6  # bounds the waiting; a hash of cost 12 takes a quarter of a second
PROVEN = "SELECT count(*), extract(epoch FROM max(proven_at)) FROM locks_credential WHERE state = 'on_lock'"
HASHED = "SELECT count(*) FROM locks_credential WHERE pin_hash <> ''"


def run(world: World, name: str, size: Size) -> Sample:
    world.valkey.flush(hz="10")
    count, port = size.of(PINS), free_port()
    url = world.fresh("turn")
    more = {"TUYA_PORT": str(port), "TUYA_BASE_URL": f"http://127.0.0.1:{port}", "BENCH_JOURNAL": "/dev/null"}
    env = world.environment(url, **more)
    first = time.time() + 15 + count / 200
    setup = [sys.executable, "-m", "bench.ours", "rush", str(count), repr(first)]
    with ExitStack() as stack:
        stack.enter_context(world.running("tuya", [node(), str(NODE / "tuya.js")], env, "ready"))
        world.run("rush-setup", [*setup, "jobs"] if name == OURS else setup, env)
        workers = [
            stack.enter_context(world.running(title, command, env, ready))
            for title, command, ready in _workers(name, world, env)
        ]
        if name == BULLMQ:
            world.run("rush-schedule", [node(), str(NODE / "rush-schedule.js"), repr(first)], env)
        if time.time() > first:
            raise BenchError(f"{name}: preparing {count} stays took until after they were due")
        time.sleep(max(0.0, first - 0.5 - time.time()))
        cpu = sum(worker.cpu_seconds() for worker in workers)
        base = world.servers_cpu_seconds()
        deadline = first + 30 + count * SECONDS_PER_PIN
        proven, last = _wait(world, url, PROVEN, count, deadline)
        spent_proving = sum(worker.cpu_seconds() for worker in workers) - cpu
        _wait(world, url, HASHED, count, deadline)
        spent = sum(worker.cpu_seconds() for worker in workers) - cpu
        below = world.servers_cpu_seconds() - base
        hashed = time.time() - first
        seen = _seen(port)
    return {
        "per_second": proven / (last - first), "seconds": last - first, "hashed": hashed,
        "cpu_proven": spent_proving / count * 1000, "cpu": spent / count * 1000, "cpu_below": below / count * 1000,
        "unproven": float(count - proven), "doubled": float(seen["created"] - count),
    }  # fmt: skip


def _workers(name: str, world: World, env: dict[str, str]) -> list[tuple[str, list[str], str]]:
    if name == OURS:
        return processes(OURS, world, env, 1)
    return [("rush-worker", [node(), str(NODE / "rush-worker.js")], "ready")]


def _wait(world: World, url: str, query: str, count: int, deadline: float) -> tuple[int, float]:
    """Until so many rows are there; gives how many there are and when the last was proven."""
    while True:
        row = world.sql(query, url)[0]
        if row[0] >= count or time.time() > deadline:
            return int(row[0]), float(row[1] or "nan") if len(row) > 1 else 0.0
        time.sleep(0.5)


def _seen(port: int) -> dict[str, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=5) as answer:
        counts: dict[str, int] = json.load(answer)
    return counts


RUSH = Measurement(
    key="rush",
    title="The 14:00 rush",
    what="2,000 `generate_pin` jobs due in one instant, each for another door, from one worker process; a cloud of "
    "Tuya's shape answers every call after 100 ms. A PIN counts when it has been read back from the lock. BullMQ's "
    "side takes the same steps on the same tables, 50 in parallel: facts, digits no other stay has, sealed copy, "
    "ticket, AES, create, read back, bcrypt at the same cost (12); both planned the removal at the booking. "
    "Processor time is taken twice: until the last PIN is proven, and until the last hash is written. SmartLock hashes "
    "while no door waits, BullMQ's side within the job.",
    contenders=(OURS, BULLMQ),
    metrics={"per_second": "PINs per s", "seconds": "last proven, s", "hashed": "last hash, s",
             "cpu_proven": "workers' CPU per PIN until proven, ms", "cpu": "until hashed, ms",
             "cpu_below": "PostgreSQL and Redis per PIN, ms", "unproven": "not proven", "doubled": "written twice"},
    goals=(
        Goal("ahead in PINs per second", lambda t: t.ratio(OURS, BULLMQ, "per_second"), at_least=1),
        Goal("ahead in processor time per PIN, until the last is proven",
             lambda t: t.ratio(OURS, BULLMQ, "cpu_proven"), at_most=1),
        Goal("ahead in processor time per PIN, until the last is hashed",
             lambda t: t.ratio(OURS, BULLMQ, "cpu"), at_most=1),
        Goal("all proven, none twice", lambda t: t.most(OURS, "unproven") + t.most(OURS, "doubled"), at_most=0),
    ),
    run=run,
)  # fmt: skip
