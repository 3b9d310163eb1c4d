"""The kinds of job at a door, declared here and done in ``issue`` and ``remove``; and the tick of the planner."""

from __future__ import annotations

from celery import shared_task
from django.utils.translation import gettext_lazy as _

from locks import backups, foreign, hashing, issue, planning, reading, remove, replacing, usage
from locks.foreign import REMOVE_FOREIGN
from locks.holders import Place
from locks.plan import CHANGE, GENERATE, LOOK, REVOKE
from locks.store import at_work
from scheduler import clock
from scheduler.kinds import job
from scheduler.recurring.categories import BUSINESS, MAINTENANCE
from scheduler.recurring.targets import Call, recurring
from scheduler.retry import RetryPolicy
from scheduler.runner import Run

# Doors take their time: small messages, so that several workers share a full hour's check-ins.
BATCH = 8
# 2, 4, 8 s, then every five minutes for as long as the stay lasts (the job expires at check-out).
UNTIL_CHECK_OUT = RetryPolicy(
    delays=(2, 4, 8), then_every=300, max_attempts=100_000, wait_delays=(2, 4, 8, 15, 30, 60), wait_then_every=300
)
# Quick tries for a quarter of an hour, then hourly for half a year: a PIN that outlives its stay is never forgotten.
QUARTER_OF_AN_HOUR = (2, 4, 8, 15, 30, *[60] * 14)
NEVER_GIVE_UP = RetryPolicy(
    delays=QUARTER_OF_AN_HOUR, then_every=3600, max_attempts=len(QUARTER_OF_AN_HOUR) + 180 * 24,
    wait_delays=QUARTER_OF_AN_HOUR, wait_then_every=3600, stop_is_final=False,
)  # fmt: skip


@job(GENERATE, queue="pins", priority=3, exclusive=True, retry=UNTIL_CHECK_OUT, batch=BATCH)
def generate_pin(run: Run) -> None:
    with at_work():
        issue.generate_pin(place(run), check=run.check, now=clock.now)


@job(CHANGE, queue="pins", priority=3, exclusive=True, retry=UNTIL_CHECK_OUT, batch=BATCH)
def change_window(run: Run) -> None:
    with at_work():
        issue.change_window(place(run), check=run.check, now=clock.now)


@job(REVOKE, queue="pins", priority=2, exclusive=True, retry=NEVER_GIVE_UP, batch=BATCH)
def revoke_pin(run: Run) -> None:
    with at_work():
        remove.revoke_pin(place(run), check=run.check, now=clock.now)


@job(LOOK, queue="pins", priority=2, exclusive=True, retry=UNTIL_CHECK_OUT, batch=BATCH)
def look_for_a_way_in(run: Run) -> None:
    replacing.look(place(run), check=run.check, now=clock.now)


@shared_task(name="locks.tend_backups", ignore_result=True)
def tend_backups() -> int:
    return backups.tend(now=clock.now())


@shared_task(name="locks.replan_after_jobs", ignore_result=True)
def replan_after_jobs() -> int:
    return planning.replan_after_jobs(now=clock.now())


@shared_task(name="locks.fold_usage", ignore_result=True)
def fold_usage() -> int:
    return usage.fold(now=clock.now())


@job(REMOVE_FOREIGN, queue="pins", priority=5, exclusive=True, retry=NEVER_GIVE_UP)
def remove_foreign(run: Run) -> None:
    foreign.remove_foreign(run.payload["lock"], run.payload["ref"], check=run.check, now=clock.now)


@recurring("read-doors", title=_("Read the locks"), category=BUSINESS, every=300, formerly="locks.read_doors")
def read_doors(call: Call) -> None:
    """Batteries, who came in, faults; and the comparison of what is on them, whichever is due."""
    reading.read_due(now=clock.now())


@recurring(
    "forget-openings", title=_("Forget old openings of doors"), category=MAINTENANCE, every=24 * 3600,
    formerly="locks.forget_old_openings",
)  # fmt: skip
def forget_old_openings(call: Call) -> None:
    reading.forget_old(now=clock.now())


@shared_task(name="locks.hash_pins", ignore_result=True)
def hash_pins() -> int:
    return hashing.hash_pins(now=clock.now())


def place(run: Run) -> Place:
    """Whose PIN, at which door."""
    return Place(run.subject, run.payload["lock"], run.payload.get("slot", 0))
