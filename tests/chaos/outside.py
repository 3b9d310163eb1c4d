"""The outside world of the chaos run: a database of its own that no blow touches, and that remembers every deed.

Each call is a transaction of its own, as a request to a lock's cloud would be. The keys make doubling visible: a
second start or effect under the same claim does not fail, it is counted in ``copies``.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING

import psycopg

from tests.chaos.evidence import Effect, Visit

if TYPE_CHECKING:
    from scheduler.runner import Run

TABLES = """
CREATE TABLE visit (
    job_id bigint, version int, worker text, pid int, began timestamptz DEFAULT clock_timestamp(), ended timestamptz,
    copies int DEFAULT 1, PRIMARY KEY (job_id, version)
);
CREATE TABLE effect (
    job_id bigint, step int, version int, worker text, pid int, asked double precision,
    began timestamptz DEFAULT clock_timestamp(), copies int DEFAULT 1, PRIMARY KEY (job_id, step, version)
);
CREATE TABLE refusal (job_id bigint, step int, version int, at timestamptz DEFAULT clock_timestamp());
"""
VISIT = """
INSERT INTO visit (job_id, version, worker, pid) VALUES (%s, %s, %s, %s)
ON CONFLICT (job_id, version) DO UPDATE SET copies = visit.copies + 1
"""
EFFECT = """
INSERT INTO effect (job_id, step, version, worker, pid, asked) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (job_id, step, version) DO UPDATE SET copies = effect.copies + 1
"""
Me = tuple[str, int]
_opening = threading.Lock()


def me() -> Me:
    """This process, by the name it was started under."""
    return os.environ.get("CHAOS_NAME", "?"), os.getpid()


@lru_cache(maxsize=1)
def _open() -> psycopg.Connection:
    return psycopg.connect(os.environ["CHAOS_OUTSIDE"], autocommit=True)


def connection() -> psycopg.Connection:
    """One for all threads of the process; psycopg lets them take turns."""
    with _opening:
        return _open()


def visit(run: Run) -> int:
    """A task starts to work. Returns how often this job has been started, this time included."""
    connection().execute(VISIT, (run.job_id, run.version, *me()))
    row = connection().execute("SELECT count(*) FROM visit WHERE job_id = %s", (run.job_id,)).fetchone()
    return int(row[0]) if row else 0


def leave(run: Run) -> None:
    sql = "UPDATE visit SET ended = clock_timestamp() WHERE job_id = %s AND version = %s"
    connection().execute(sql, (run.job_id, run.version))


def effect(run: Run, step: int, asked: float) -> None:
    connection().execute(EFFECT, (run.job_id, step, run.version, *me(), asked))


def refusal(run: Run, step: int) -> None:
    sql = "INSERT INTO refusal (job_id, step, version) VALUES (%s, %s, %s)"
    connection().execute(sql, (run.job_id, step, run.version))


def visits() -> list[Visit]:
    sql = "SELECT job_id, version, worker, pid, extract(epoch FROM began), extract(epoch FROM ended), copies FROM visit"
    return [
        Visit(job, version, worker, pid, float(began), None if left is None else float(left), copies)
        for job, version, worker, pid, began, left, copies in connection().execute(sql)
    ]


def effects() -> list[Effect]:
    sql = "SELECT job_id, step, version, worker, pid, asked, extract(epoch FROM began), copies FROM effect"
    return [
        Effect(job, step, version, worker, pid, asked, float(began), copies)
        for job, step, version, worker, pid, asked, began, copies in connection().execute(sql)
    ]


def refusals() -> int:
    row = connection().execute("SELECT count(*) FROM refusal").fetchone()
    return int(row[0]) if row else 0
