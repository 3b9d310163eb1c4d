"""What a worker does with a message: claim, commit, act, record. No transaction is open while the tasks act.

Claiming is a compare-and-set on ``(id, version, scheduled)``: a message that comes twice, late, or for a job that
was cancelled or moved finds no row and does nothing. The jobs of one message are claimed in one statement, act side
by side, and are recorded together; a task author still writes the code for one job.

Messages come a moment early: what can be looked up beforehand is, and then the claim waits for the due time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from scheduler import claims, clock, guard, leases, limits, pool, queues, records
from scheduler.claims import Claim
from scheduler.due import Due, look_up
from scheduler.errors import Wait
from scheduler.kinds import Kind, Pairs
from scheduler.models import Job
from scheduler.records import Ended, Run

EARLY_SECONDS = 2.0  # a message may come this much early (clocks differ): wait for the moment, never start before it
RECORD_EVERY_SECONDS = 0.2  # the jobs of a message that end close together are recorded in one statement
__all__ = ["Run", "run_all", "run_one"]


def run_one(kind: Kind, job_id: int, version: int, *, worker: str) -> str:
    """Run one job if it is still the one the message meant. Returns its outcome as a word."""
    return run_many(kind, [[job_id, version]], worker=worker)[job_id]


def run_all(kind: Kind, pairs: Pairs, *, worker: str) -> list[dict[str, object]]:
    """Run each job of a message; the answer is what the result backend keeps: ids and outcomes only."""
    outcomes = run_many(kind, pairs, worker=worker)
    return [{"job": job_id, "outcome": outcome} for job_id, outcome in outcomes.items()]


def run_many(kind: Kind, pairs: Pairs, *, worker: str) -> dict[int, str]:
    """The outcome of every job of the message, by id; "stale" for those that are no longer as it says."""
    outcomes = {job_id: "stale" for job_id, _version in pairs}
    due = _due(kind, look_up(pairs), outcomes)
    if not due:
        return outcomes
    return outcomes | _start(kind, due, worker)


def _start(kind: Kind, jobs: list[Due], worker: str, *, in_turn: bool = False) -> dict[int, str]:
    """Claim these and let them act side by side; those of one subject one after the other, if they are exclusive."""
    first, others = _by_turns(jobs)
    with guard.hold_each(first) as held:
        free = [job for job in first if not job.exclusive or job.pk in held]
        claimed, busy = claims.claim(kind, free, now=clock.now(), worker=worker)
        following = {claim.job.pk: others.pop(claim.job.subject, []) for claim in claimed}
        turned_away = [job for job in first if job.exclusive and job.pk not in held]
        turned_away += busy + [job for rest in others.values() for job in rest]
        outcomes = {job.pk: records.look_again(job, now=clock.now()) for job in turned_away}
        calls = [partial(_in_turn, kind, claim, following[claim.job.pk], held, worker, outcomes) for claim in claimed]
        results = (call() for call in calls) if in_turn else pool.side_by_side(kind.queue, calls)
        _act(kind, claimed, results, held, outcomes)
    return outcomes


def _by_turns(jobs: list[Due]) -> tuple[list[Due], dict[str, list[Due]]]:
    """Those that may act side by side, and by subject the exclusive ones that have to come after one of them."""
    first: list[Due] = []
    others: dict[str, list[Due]] = {}
    for job in jobs:
        if job.exclusive and job.subject in others:
            others[job.subject].append(job)
            continue
        first.append(job)
        if job.exclusive:
            others[job.subject] = []
    return first, others


def _due(kind: Kind, jobs: list[Due], outcomes: dict[int, str]) -> list[Due]:
    """Those that may start now, after the last moment's wait; the others are put where they belong."""
    if not jobs:
        return []
    if jobs[0].queue in queues.paused():
        return _hand_back(jobs, outcomes, "paused")
    now = clock.now()
    early = [job for job in jobs if (job.run_at - now).total_seconds() > EARLY_SECONDS]
    _hand_back(early, outcomes, "early")
    jobs = [job for job in jobs if job not in early]
    wait = max(((job.run_at - now).total_seconds() for job in jobs), default=0)
    if wait > 0:
        time.sleep(wait)
    now = clock.now()
    jobs = [job for job in jobs if not _is_pointless(kind, job, now, outcomes)]
    return _within_limit(kind.queue, jobs, outcomes)


def _within_limit(queue: str, jobs: list[Due], outcomes: dict[int, str]) -> list[Due]:
    """As many as the queue's rate allows; the others come again one after the other, and block nobody meanwhile."""
    now = clock.now()
    grant = limits.ask(queue, len(jobs), now)
    for place, job in enumerate(jobs[grant.starts :]):
        outcomes[job.pk] = records.look_again(job, now=now, after=grant.wait(place), word="limited")
    return jobs[: grant.starts]


def _hand_back(jobs: Iterable[Due], outcomes: dict[int, str], word: str) -> list[Due]:
    """Not now: the dispatcher publishes them again when it is time."""
    ids = [job.pk for job in jobs]
    if ids:
        Job.objects.filter(pk__in=ids, state=Job.State.SCHEDULED).update(published_at=None)
    outcomes.update(dict.fromkeys(ids, word))
    return []


def _is_pointless(kind: Kind, job: Due, now: datetime, outcomes: dict[int, str]) -> bool:
    if job.expires_at is not None and job.expires_at <= now:
        outcomes[job.pk] = records.expire(job, now=now)
    elif kind.misfire_after is not None and now - job.run_at > timedelta(seconds=kind.misfire_after):
        outcomes[job.pk] = records.skip(job, now=now)
    return outcomes[job.pk] in ("expired", "skipped")


def _act(
    kind: Kind,
    claimed: list[Claim],
    results: Iterable[Ended | None],
    held: dict[int, guard.Guard],
    outcomes: dict[int, str],
) -> None:
    """Let the claimed jobs act and record them as they end, those that end together in one go."""
    ended: list[Ended] = []
    since = 0.0
    leased = [(c.job.pk, c.run.version, held.get(c.job.pk)) for c in claimed]
    with leases.kept(leased, seconds=kind.lease, time_limit=kind.time_limit):
        for result in results:
            if result is not None and result.claim.job.pk not in outcomes:
                since = since if ended else time.monotonic()
                ended.append(result)
            # None: a moment has passed, so the fast ones do not wait for the slow ones to be written down.
            if ended and time.monotonic() - since > RECORD_EVERY_SECONDS:
                _record(kind, ended, held, outcomes)
                ended = []
        _record(kind, ended, held, outcomes)


def _record(kind: Kind, ended: list[Ended], held: dict[int, guard.Guard], outcomes: dict[int, str]) -> None:
    """Write down how they ended; from then on others may work on their subjects."""
    outcomes |= records.record(kind, ended)
    leases.release((end.claim.job.pk, end.claim.run.version) for end in ended)
    guard.release([held.pop(end.claim.job.pk) for end in ended if end.claim.job.pk in held])


def _in_turn(
    kind: Kind, claim: Claim, following: list[Due], held: dict[int, guard.Guard], worker: str, outcomes: dict[int, str]
) -> Ended:
    """A claimed job, and when it is written down those of its subject that came with it."""
    ended = _run(kind, claim)
    if following:
        _record(kind, [ended], held, outcomes)
        outcomes |= _start(kind, following, worker, in_turn=True)
    return ended


def _run(kind: Kind, claim: Claim) -> Ended:
    """The task itself. Whatever it raises is its answer; only a death of the worker is not."""
    started = clock.now()
    if pool.is_stopping():
        return Ended(claim, started, started, Wait("Its worker was told to stop before it began.", after=0))
    try:
        kind.function(claim.run)
    except Exception as error:
        return Ended(claim, started, clock.now(), error)
    return Ended(claim, started, clock.now(), None)
