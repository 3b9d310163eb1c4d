"""Does a full table slow the next job down? A thousand pending jobs against a million."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.contenders import OURS
from bench.fill import BLANK
from bench.lateness import lateness
from bench.measurement import Goal, Measurement, Sample, Size, Table
from bench.measurements.punctuality import JOBS, SECONDS
from bench.world import World

FEW, MANY = "1,000 pending", "1,000,000 pending"
PENDING = {FEW: 1_000, MANY: 1_000_000}
DATABASES = {FEW: "few", MANY: "many"}
OPERATIONS = 300

# Two jobs for each of so many reservations, over the coming year; every column as `schedule` would fill it.
FILL = """
INSERT INTO scheduler_job (kind, subject, live_key, {columns})
SELECT kinds.kind, 'reservation:' || n, kinds.kind || ':reservation:' || n || ':lock:1', {values}
FROM generate_series(1, {stays}) n, (VALUES ('locks.generate_pin'), ('locks.revoke_pin')) kinds (kind)
"""
KNOWN = {
    "payload": "'{\"lock\": 1}'", "queue": "'pins'", "priority": "3", "exclusive": "true", "state": "'scheduled'",
    "attempt": "0", "max_attempts": "100000", "version": "1",
    "due_at": "now() + interval '1 day' + random() * interval '364 days'",
    "run_at": "now() + interval '1 day' + random() * interval '364 days'",
    "created_at": "now()", "updated_at": "now()",
}  # fmt: skip


@contextmanager
def filled(world: World, size: Size) -> Iterator[None]:
    for name, pending in PENDING.items():
        url = world.fresh(DATABASES[name])
        fill(world, url, pending if name == FEW else size.of(pending, at_least=10_000))
    yield
    for database in DATABASES.values():
        world.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")


def fill(world: World, url: str, pending: int) -> None:
    columns = world.sql(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'scheduler_job'"
        " AND is_nullable = 'NO' AND column_name NOT IN ('id', 'kind', 'subject', 'live_key')",
        url,
    )
    values = {name: KNOWN.get(name, BLANK.get(kind, "''")) for name, kind in columns}
    world.sql(FILL.format(columns=", ".join(values), values=", ".join(values.values()), stays=pending // 2), url)
    world.sql("VACUUM ANALYZE scheduler_job", url)


def run(world: World, name: str, size: Size) -> Sample:
    count = size.of(JOBS)
    punctual = lateness(world, OURS, count, max(4.0, SECONDS * min(1, size.factor)), database=DATABASES[name])
    env = world.environment(world.url(DATABASES[name]))
    command = [sys.executable, "-m", "bench.ours", "verbs", str(size.of(OPERATIONS))]
    verbs: Sample = json.loads(world.run("verbs", command, env).splitlines()[-1])
    return {**punctual, **verbs}


def _slower(metric: str) -> Goal:
    title = TITLES[metric].partition(",")[0]
    return Goal(f"{title} within 1.5 times", lambda t: _ratio(t, metric), at_most=1.5)


def _ratio(table: Table, metric: str) -> float:
    return table.ratio(MANY, FEW, metric)


TITLES = {
    "p99": "p99 of lateness, ms", "p50": "p50 of lateness, ms", "early": "early", "missing": "missing",
    "look_p50": "look-up, ms", "move_p50": "reschedule, ms", "cancel_p50": "cancel, ms",
    "look_p99": "look-up p99, ms", "move_p99": "reschedule p99, ms", "cancel_p99": "cancel p99, ms",
}  # fmt: skip

MILLION = Measurement(
    key="million",
    title="The same with a million pending",
    what="The 2,000 jobs of the first measurement in a table with 1,000 other jobs for the coming year, and in one "
    "with 1,000,000. Then 300 times each, for reservations picked at random: look up its jobs, reschedule them, cancel "
    "them (each its own durable transaction; the median and p99).",
    contenders=(FEW, MANY),
    metrics=TITLES,
    goals=tuple(_slower(metric) for metric in ("p99", "look_p50", "move_p50", "cancel_p50")),
    run=run,
    prepare=filled,
)
