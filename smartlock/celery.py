"""The Celery application. Jobs live in the database; Celery only carries them to a worker when they are due."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.signals import celeryd_init, setup_logging, task_prerun, worker_ready
from django.db import DatabaseError, close_old_connections

from smartlock import heap
from smartlock.broker import keep_clients

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
keep_clients()
app = Celery("smartlock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add("scheduler.connection:PublishAgain")
# Celery's Django fix-up closes the database connection around every message; a thread of ours keeps its own (a new one
# costs PostgreSQL more than most jobs do), and only what is broken or too old is replaced, below.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000


@celeryd_init.connect
def take_turns_quickly(**_: Any) -> None:
    """A thread whose job is due may wait as long as this for one that computes; Python's 5 ms are a worker's p50."""
    sys.setswitchinterval(0.0005)


@worker_ready.connect
def look_for_garbage_seldom(**_: Any) -> None:
    heap.settle()


@worker_ready.connect
def warm_threads_up(sender: Any, **_: Any) -> None:
    """Else the first jobs of each thread wait for it: a quarter of a second when sixteen threads begin at once."""
    if isinstance(sender.pool, TaskPool):
        for _thread in range(sender.pool.limit):
            sender.pool.apply_async(warm_up)


def warm_up() -> None:
    """For the thread that calls it: a connection, the first question of each message, and what Celery keeps per thread,
    for which it looks through all installed packages."""
    from scheduler.due import look_up

    assert app.backend
    with suppress(DatabaseError):  # it is away: whoever has a job to do tries again
        look_up([[0, 0]])


@task_prerun.connect
def replace_broken_connections(**_: Any) -> None:
    close_old_connections()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery would replace Django's logging set-up; being connected here is what stops it."""
