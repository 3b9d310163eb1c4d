"""SmartLock's side of what is not the work of its workers: `python -m bench.ours VERB ...`, answers in JSON.

noops COUNT FIRST SPREAD    rows as if scheduled long ago: nothing is published, the dispatcher finds them
one-by-one COUNT            a reservation with its two jobs, one transaction each
whole-plan COUNT            a booking as the product takes it
in-bulk COUNT               that many jobs at once
verbs COUNT                 look up, reschedule and cancel by reservation
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import django

from bench.journal import Plan

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
django.setup()

from django.db import transaction  # noqa: E402
from django.db.models.signals import post_save  # noqa: E402

import bench.tasks  # noqa: E402, F401
from bench.stats import percentile  # noqa: E402
from bench.stays import a_unit, pin_jobs, reservation, rush_stays  # noqa: E402
from scheduler import services  # noqa: E402
from scheduler.models import Job  # noqa: E402

BATCH = 2000
FAR = timedelta(days=30)


def noops(arguments: list[str]) -> dict[str, float]:
    plan, now = Plan.of(arguments), datetime.now(UTC)
    rows = (_noop(number, plan, now) for number in range(plan.count))
    Job.objects.bulk_create(rows, batch_size=BATCH)
    return {"count": plan.count}


def _noop(number: int, plan: Plan, now: datetime) -> Job:
    due_at = datetime.fromtimestamp(plan.due(number), UTC)
    return Job(kind="bench.noop", payload={"n": number}, due_at=due_at, run_at=due_at, created_at=now, updated_at=now)


def one_by_one(arguments: list[str]) -> dict[str, float]:
    """The engine's verbs in the caller's transaction; nothing is decided here, as with the others."""
    unit, now = a_unit(), datetime.now(UTC)
    post_save.receivers.clear()  # who plans upon a save: that is measured in the next verb
    post_save.sender_receivers_cache.clear()

    def save(number: int) -> None:
        with transaction.atomic():
            stay = reservation(unit, number)
            stay.save()
            jobs = (
                (kind, services.Planned(due_at, stay.subject, f"{kind}:{stay.pk}"))
                for kind, due_at in (("locks.generate_pin", now + FAR), ("locks.revoke_pin", now + FAR * 2))
            )
            services.schedule_all(jobs, now=now)

    return _each(int(arguments[0]), save)


def whole_plan(arguments: list[str]) -> dict[str, float]:
    """What the product does on a booking: the stay is saved, and the plan schedules what it is entitled to."""
    unit = a_unit(with_lock=True)

    def save(number: int) -> None:
        with transaction.atomic():  # as `save_facts` does: all or nothing
            reservation(unit, number).save()

    return _each(int(arguments[0]), save)


def _each(count: int, save: Callable[[int], object]) -> dict[str, float]:
    for number in range(20):  # connections, caches, prepared statements
        save(number)
    started = time.perf_counter()
    for number in range(20, 20 + count):
        save(number)
    return {"seconds": time.perf_counter() - started}


def in_bulk(arguments: list[str]) -> dict[str, float]:
    count, now = int(arguments[0]), datetime.now(UTC)
    Job.objects.exists()
    started = time.perf_counter()
    wanted = (
        services.Planned(now + FAR, f"reservation:{number}", f"bulk:{number}", {"n": number}) for number in range(count)
    )
    with transaction.atomic():
        services.schedule_many("bench.noop", wanted, now=now)
    return {"seconds": time.perf_counter() - started}


def rush(arguments: list[str]) -> dict[str, float]:
    """COUNT FIRST [jobs]: units, doors and stays; with ``jobs`` also our jobs, all due in that instant."""
    count, first = int(arguments[0]), datetime.fromtimestamp(float(arguments[1]), UTC)
    stays = rush_stays(count, first)
    if "jobs" in arguments:
        Job.objects.bulk_create((job for stay, lock in stays for job in pin_jobs(stay, lock, first)), batch_size=BATCH)
    return {"count": count}


def verbs(arguments: list[str]) -> dict[str, float]:
    """Each on reservations of its own, picked from those that the table was filled with."""
    count, now = int(arguments[0]), datetime.now(UTC)
    keys = Job.objects.filter(kind="locks.generate_pin").order_by("-pk").values_list("pk", flat=True)
    newest = keys[0]
    oldest = keys.reverse()[0]
    picked = random.Random(7).sample(range(oldest, newest), min(count * 3, newest - oldest))
    subjects = list(Job.objects.filter(pk__in=picked).values_list("subject", flat=True).distinct())
    random.Random(8).shuffle(subjects)
    third = len(subjects) // 3
    answer: dict[str, float] = {}
    for name, part, act in (
        ("look", subjects[:third], lambda subject: list(services.jobs_of(subject))),
        (
            "move",
            subjects[third : third * 2],
            lambda s: services.reschedule(services.jobs_of(s), due_at=now + FAR, now=now),
        ),
        ("cancel", subjects[third * 2 :], lambda subject: services.cancel(services.jobs_of(subject), now=now)),
    ):
        took = [_milliseconds(act, subject) for subject in part]
        answer |= {f"{name}_p50": percentile(took, 50), f"{name}_p99": percentile(took, 99)}
    return answer


def _milliseconds(act: Callable[[str], object], subject: str) -> float:
    started = time.perf_counter()
    act(subject)
    return (time.perf_counter() - started) * 1000


VERBS: dict[str, Callable[[list[str]], dict[str, float]]] = {
    "noops": noops,
    "one-by-one": one_by_one,
    "whole-plan": whole_plan,
    "in-bulk": in_bulk,
    "verbs": verbs,
    "rush": rush,
}

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](sys.argv[2:])))
