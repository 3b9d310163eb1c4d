"""Redis killed and come back empty; a worker killed. Is every job done, and how soon are they on time again?"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack

from bench.contenders import BULLMQ, CELERY, OURS, Turn, processes, turn
from bench.journal import Journal, Plan
from bench.lateness import first_due, summary
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import World

JOBS, SECONDS = 2000, 40.0  # fifty a second
FAULT_AFTER, BACK_AFTER = 10.0, 2.0
PATIENCE = 75.0  # after the last was due; BullMQ looks for stalled jobs every 30 s, our leases last as long
ON_TIME_MS = 250.0
REDIS, WORKER = "Redis killed", "worker killed"
CONTENDERS = tuple(f"{name}: {fault}" for fault in (REDIS, WORKER) for name in (OURS, BULLMQ, CELERY))


def run(world: World, title: str, size: Size) -> Sample:
    name, _, fault = title.partition(": ")
    count, spread = size.of(JOBS), max(16.0, SECONDS * min(1.0, size.factor))
    journal = Journal(world.directory / "journal")
    with ExitStack() as stack, turn(world, name, journal, workers=1 if fault == REDIS else 2) as taken:
        plan = Plan(count, first_due(count), spread)
        taken.schedule(plan)
        time.sleep(max(0.0, plan.first + FAULT_AFTER - time.time()))
        struck = time.time()
        if fault == REDIS:
            _redis_comes_back_empty(world)
        else:
            _worker_is_replaced(world, name, taken, stack)
        _wait(journal, plan)
    return {**summary(plan, journal), **_recovered(plan, journal, struck)}


def _redis_comes_back_empty(world: World) -> None:
    world.valkey.kill()
    time.sleep(BACK_AFTER)
    world.valkey.start()


def _worker_is_replaced(world: World, name: str, taken: Turn, stack: ExitStack) -> None:
    """One of two workers dies without a word; whoever looks after them starts another."""
    victim = next(worker for worker in taken.workers if worker.name not in ("ticker", "beat"))
    os.killpg(victim.popen.pid, signal.SIGKILL)  # a session of its own: the worker and its children
    victim.popen.wait()
    time.sleep(BACK_AFTER)
    listed = processes(name, world, taken.env, 2)
    title, command, ready = next(one for one in listed if one[0] == victim.name)
    stack.enter_context(world.running(f"{title}-again", command, taken.env, ready))


def _wait(journal: Journal, plan: Plan) -> None:
    """Until each job has run at least once, or patience ends."""
    end = plan.first + plan.spread + PATIENCE
    while time.time() < end:
        if len(journal) >= plan.count and len({number for number, _ in journal.starts()}) == plan.count:
            break
        time.sleep(0.5)
    time.sleep(1.0)


def _recovered(plan: Plan, journal: Journal, struck: float) -> Sample:
    """Seconds from the fault to the due time of the last job that did not begin on time."""
    begun: dict[int, float] = {}
    for number, start in journal.starts():
        begun.setdefault(number, start)
    late = [n for n in range(plan.count) if n not in begun or (begun[n] - plan.due(n)) * 1000 > ON_TIME_MS]
    worst = max((plan.due(n) for n in late), default=struck)
    return {
        "on_time": max(0.0, worst - struck),
        "last": max(begun.values(), default=float("nan")) - plan.first - plan.spread,
        "late": float(len(late)),
    }


RECOVERY = Measurement(
    key="recovery",
    title="Recovery",
    what="2,000 jobs due evenly over 40 s. After 10 s Redis is killed and comes back 2 s later with nothing in it; or "
    "one of two workers is killed (SIGKILL) and replaced 2 s later. On time again: from the fault to the due time of "
    f"the last job that began more than {ON_TIME_MS:.0f} ms late or never. Jobs still missing 75 s after the last was "
    "due count as missing.",
    contenders=CONTENDERS,
    metrics={"on_time": "on time again after, s", "missing": "missing", "doubled": "doubled", "early": "early",
             "late": "late", "max": "worst, ms"},
    goals=(
        Goal("Redis killed: every job done, once",
             lambda t: t.most(CONTENDERS[0], "missing") + t.most(CONTENDERS[0], "doubled"), at_most=0),
        Goal("worker killed: every job done, once",
             lambda t: t.most(CONTENDERS[3], "missing") + t.most(CONTENDERS[3], "doubled"), at_most=0),
        Goal("nothing early", lambda t: max(t.most(c, "early") for c in (CONTENDERS[0], CONTENDERS[3])), at_most=0),
    ),
    run=run,
)  # fmt: skip
