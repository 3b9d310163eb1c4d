"""What does a job cost that waits for its day?"""

from __future__ import annotations

import time

from bench.contenders import BULLMQ, CELERY, OURS, Turn, turn
from bench.journal import Journal, Plan
from bench.measurement import Goal, Measurement, Sample, Size
from bench.measurements.million import fill
from bench.world import World

PENDING = 100_000
PENDING_CELERY = 20_000  # it takes in about 800 a second, and its worker reads them all
MONTH = 30 * 86_400.0
ON_DISK = "SELECT pg_total_relation_size('scheduler_job')"
FLAT_BYTES = 5 * 2**20  # a worker that does nothing breathes by this much
STEADY_SECONDS, CALM = 6.0, 2


def run(world: World, name: str, size: Size) -> Sample:
    count = size.of(PENDING_CELERY if name == CELERY else PENDING)
    journal = Journal(world.directory / "journal")
    with turn(world, name, journal) as taken:
        url = taken.env["DATABASE_URL"]
        worker = _settled(taken)
        redis, disk = _redis_bytes(world), _disk_bytes(world, url)
        if name == OURS:
            fill(world, url, count)
        else:
            taken.schedule(Plan(count, time.time() + MONTH, MONTH))
        grown = _settled(taken) - worker
        return {
            "disk": (_disk_bytes(world, url) - disk) / count,
            "redis": max(0.0, _redis_bytes(world) - redis) / count,
            "worker": max(0.0, grown) / count,
            "worker_mib": grown / 2**20,
            "redis_mib": (_redis_bytes(world) - redis) / 2**20,
        }


def _settled(taken: Turn) -> float:
    """The size of the workers once it stays as it is: at first each loads what it needs, a Celery worker reads on."""
    deadline, calm, size = time.monotonic() + 120, 0, 0
    while calm < CALM and time.monotonic() < deadline:
        time.sleep(STEADY_SECONDS)
        last, size = size, taken.rss_bytes()
        calm = calm + 1 if abs(size - last) < 2**18 else 0
    return float(size)


def _redis_bytes(world: World) -> float:
    with world.valkey.client() as client:
        return float(client.info("memory")["used_memory"])


def _disk_bytes(world: World, url: str) -> float:
    return float(world.sql(ON_DISK, url)[0][0])


MEMORY = Measurement(
    key="memory",
    title="Memory",
    what="100,000 jobs waiting for days to come (20,000 for Celery): bytes per job in PostgreSQL with all indexes, in "
    "Redis, and by how much the workers have grown.",
    contenders=(OURS, BULLMQ, CELERY),
    metrics={"disk": "on disk per job, B", "redis": "in Redis per job, B", "worker": "in the worker per job, B",
             "redis_mib": "Redis grew by, MiB", "worker_mib": "workers grew by, MiB"},
    goals=(
        Goal("nothing in Redis (MiB)", lambda t: t.most(OURS, "redis_mib"), at_most=1),
        Goal("at most 800 B on disk with indexes", lambda t: t.median(OURS, "disk"), at_most=800),
        Goal("workers stay as they are (MiB)", lambda t: t.most(OURS, "worker_mib"), at_most=FLAT_BYTES / 2**20),
    ),
    run=run,
)  # fmt: skip
