"""Who is measured at running jobs: how the workers start, what they say when ready, how jobs are given to them."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench.install import PROCRASTINATE_PYTHON
from bench.journal import Journal, Plan
from bench.world import NODE, Process, World
from deploy.run import programs

OURS = "SmartLock"
BULLMQ = "BullMQ"
BULLMQ_HZ = "BullMQ, Redis hz 100"
CELERY = "Celery ETA"
PROCRASTINATE = "Procrastinate"
FLOOR = "raw SQL"
THREADS = "8"  # as SmartLock's worker has


@dataclass
class Turn:
    """One contender's workers at work on a database and an empty Redis of their own."""

    world: World
    env: dict[str, str]
    workers: list[Process]
    schedule_command: list[str]

    def schedule(self, plan: Plan) -> None:
        self.world.run("schedule", [*self.schedule_command, *plan.arguments], self.env)

    def cpu_seconds(self) -> float:
        return sum(worker.cpu_seconds() for worker in self.workers)

    def rss_bytes(self) -> int:
        return sum(worker.rss_bytes() for worker in self.workers)


@contextlib.contextmanager
def turn(world: World, name: str, journal: Journal, *, database: str = "", workers: int = 1) -> Iterator[Turn]:
    """Have the named contender ready; everything it started is gone when the block ends."""
    world.valkey.flush(hz="100" if name == BULLMQ_HZ else "10")
    url = world.url(database) if database else world.fresh("turn")
    env = world.environment(url, BENCH_JOURNAL=str(journal.path))
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(world.running(title, command, env, ready))
            for title, command, ready in processes(name, world, env, workers)
        ]
        yield Turn(world, env, started, scheduling(name))


def processes(name: str, world: World, env: dict[str, str], workers: int) -> list[tuple[str, list[str], str]]:
    """Title, command and the word that tells it is ready."""
    if name == OURS:
        return _ours(env, workers)
    if name in (BULLMQ, BULLMQ_HZ):
        command = [node(), str(NODE / "noop-worker.js")]
        return [(f"bullmq-{number}", command, "ready") for number in range(workers)]
    if name == CELERY:
        options = ["-P", "threads", "-c", THREADS, "--without-gossip", "--without-mingle", "--loglevel=info"]
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "bench.celery_eta", "worker", *options]
        return [(f"celery-{number}", [*command, "-n", f"{number}@%h"], " ready.") for number in range(workers)]
    command = [str(PROCRASTINATE_PYTHON), "-m", "bench.procrastinate_eta"]
    world.run("procrastinate-schema", [*command, "schema"], env)
    return [(f"procrastinate-{number}", [*command, "work"], "ready") for number in range(workers)]


def _ours(env: dict[str, str], workers: int) -> list[tuple[str, list[str], str]]:
    """The very processes of `make run` that take part in running jobs, with the bench's kind known to them."""
    listed: list[tuple[str, list[str], str]] = []
    for program in programs(env):
        if program.name in ("web", "flower", "sandbox"):
            continue
        command = ["bench.celery_app" if word == "smartlock" else word for word in program.command]
        ready = "" if program.name == "beat" else " ready."
        listed.append((program.name, command, ready))
        if program.name == "worker":
            more = [[f"more{n}@%h" if word == "worker@%h" else word for word in command] for n in range(1, workers)]
            listed += [(f"worker-{n}", one, ready) for n, one in enumerate(more, start=1)]
    return listed


def scheduling(name: str) -> list[str]:
    if name == OURS:
        return [sys.executable, "-m", "bench.ours", "noops"]
    if name in (BULLMQ, BULLMQ_HZ):
        return [node(), str(NODE / "noop-schedule.js")]
    if name == CELERY:
        return [sys.executable, "-m", "bench.celery_eta"]
    return [str(PROCRASTINATE_PYTHON), "-m", "bench.procrastinate_eta", "schedule"]


def node() -> str:
    return shutil.which("node") or "node"
