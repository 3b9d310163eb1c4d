"""How long an operator's pages keep the database busy: in a house that has run for years, and in one of 5,000 units."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bench.fill import TOWN, YEARS, House, fill
from bench.measurement import Goal, Measurement, Sample, Size
from bench.world import World

STAYS, DATABASE, MOST_MS = 100_000, "pages", 300
JOBS = "admin:scheduler_job_changelist"
STAYS_LIST = "admin:reservations_reservation_changelist"
# A named address with what fills it in, or a path; `bench.pages` asks for them.
PAGES = {
    "first page": "admin:index",
    "first page, renewed": "tonight",
    "first page, all unfolded": "admin:index?in-red=9&in-amber=9&in-later=9&in-green=9&out-later=9&out-green=9",
    "timeline": "timeline",
    "timeline, 28 days": "timeline?days=28",
    "stays": STAYS_LIST,
    "stays, by guest": f"{STAYS_LIST}?q=Guest+c4ca42",
    "stays, by a name nobody has": f"{STAYS_LIST}?q=Nobody+of+that+name",
    "stays, by unit": f"{STAYS_LIST}?q=Unit+77",
    "stays, by reservation": f"{STAYS_LIST}?q={{external}}",
    "stays, cancelled": f"{STAYS_LIST}?status__exact=canceled",
    "a stay": "admin:reservations_reservation_change {stay}",
    "jobs": JOBS,
    "jobs, last page shown": f"{JOBS}?p=100",
    "jobs, scheduled by due time": f"{JOBS}?state__exact=scheduled&o=4",
    "jobs, failed": f"{JOBS}?state__exact=failed",
    "jobs, by guest": f"{JOBS}?q=Guest+c4ca42",
    "jobs, by reservation": f"{JOBS}?q={{external}}",
    "jobs, by unit": f"{JOBS}?q=Unit+77",
    "jobs, by lock": f"{JOBS}?q=Door+77",
    "jobs, by kind": f"{JOBS}?q=revoke_pin",
    "a job": "admin:scheduler_job_change {job}",
    "queues": "admin:scheduler_queue_changelist",
    "events": "admin:webhooks_webhookevent_changelist",
    "events, parked": "admin:webhooks_webhookevent_changelist?state__exact=parked",
    "events, by reservation": "admin:webhooks_webhookevent_changelist?q={external}",
    "locks": "admin:locks_lock_changelist",
    "credentials": "admin:locks_credential_changelist",
    "credentials, by guest": "admin:locks_credential_changelist?q=Guest+c4ca42",
    "credentials left behind": "admin:locks_credential_changelist?alarmed_at__isnull=False&removed_at__isnull=True",
    "a lock": "admin:locks_lock_change 77",
    "units": "admin:reservations_accommodation_changelist",
    "messages": "admin:notifications_message_changelist",
    "messages, by guest": "admin:notifications_message_changelist?q=Guest+c4ca42",
    "notices": "admin:notifications_notice_changelist",
    "recurring jobs": "admin:scheduler_recurringjob_changelist",
    "audit trail": "admin:audit_auditlog_changelist",
    "audit trail, by subject": "admin:audit_auditlog_changelist?q=reservation:77",
    "metrics": "/metrics",
    "health": "/health/queues",
    "API: reservations": "/api/reservations",
    "API: reservations, by guest": "/api/reservations?q=c4ca42",
    "API: reservations, changed lately": "/api/reservations?order=-updated_at",
    "API: jobs": "/api/jobs",
    "API: jobs, of a kind": "/api/jobs?kind=locks.revoke_pin&state=succeeded",
    "API: credentials": "/api/credentials",
    "API: events": "/api/events",
    "API: locks": "/api/locks",
}


# What grows with the house and not with its years: those of the pages above, and some more.
MORE = {
    "timeline, last units": "timeline?page=1000000",
    "timeline, by unit": "timeline?q=Unit+49",
    "units, by name": "admin:reservations_accommodation_changelist?q=Unit+4999",
    "locks, by name": "admin:locks_lock_changelist?q=Door+4999",
}
IN_TOWN = (
    "first page", "first page, renewed", "first page, all unfolded", "timeline", "timeline, 28 days", *MORE, "stays",
    "stays, by unit", "a stay", "jobs", "jobs, by unit", "locks", "a lock", "units", "credentials", "metrics", "health",
    "API: reservations", "API: locks",
)  # fmt: skip
ADDRESSES = {**PAGES, **MORE}


def filled(house: House) -> Callable[[World, Size], AbstractContextManager[None]]:
    @contextmanager
    def with_stays(world: World, size: Size) -> Iterator[None]:
        fill(world, world.fresh(DATABASE), size.of(STAYS, at_least=1_000), house)
        yield
        world.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")

    return with_stays


def run(world: World, name: str, size: Size) -> Sample:
    env = world.environment(world.url(DATABASE), DEBUG="1")  # else the style sheets would have to be collected first
    answer = world.run("page", [sys.executable, "-m", "bench.pages", name], env).splitlines()[-1]
    sample: Sample = json.loads(answer)[name]
    return sample


def _within(name: str) -> Goal:
    return Goal(f"{name}: within {MOST_MS} ms", lambda table: table.median(name, "ms"), at_most=MOST_MS)


PAGES_IN_TIME = Measurement(
    key="pages",
    title="The operators' pages after years",
    what="100,000 reservations, 1,000,000 jobs and as many tries as jobs that are over, 500 units, 100,000 events: the "
    "time that each page keeps PostgreSQL busy, the slowest of its statements, how many they are, and what the page "
    "weighs. The second call counts. What it would cost with ten times fewer rows, `SCALE=0.1` tells.",
    contenders=tuple(PAGES),
    metrics={"ms": "database, ms", "slowest": "slowest statement, ms", "queries": "statements", "kb": "page, KB"},
    goals=tuple(_within(name) for name in PAGES),
    run=run,
    prepare=filled(YEARS),
)

PAGES_IN_TOWN = Measurement(
    key="town",
    title="The operators' pages in a house of 5,000 units",
    what="5,000 units with a door each, 600 arrivals and 600 departures every night (a first page judges those of two "
    "nights), 100,000 reservations, 1,000,000 jobs, 300,000 readings of batteries: what each page costs, as above, and "
    "how long it takes altogether.",
    contenders=IN_TOWN,
    metrics={
        "ms": "database, ms",
        "slowest": "slowest statement, ms",
        "queries": "statements",
        "kb": "page, KB",
        "seconds": "whole page, s",
    },
    goals=tuple(_within(name) for name in IN_TOWN),
    run=run,
    prepare=filled(TOWN),
)
