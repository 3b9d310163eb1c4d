"""The guard around a subject: ``SET lock:<subject> <token> NX EX 60``, released by its owner only.

It saves work and noise. Correctness never depends on it: the row's fence does that (``job_one_exclusive_running``),
so a Redis that is away or was emptied means "go on".

The token names the job that holds it, so that the rescuer can release the guard of a dead worker, and only that.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import structlog
from redis.exceptions import RedisError

from scheduler import redis
from scheduler.models import Job

log = structlog.get_logger(__name__)
SECONDS = 60
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
_BURY = (
    "local held = redis.call('get', KEYS[1]) "
    "if held and string.sub(held, 1, #ARGV[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
)
_RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('expire', KEYS[1], ARGV[2]) else return 0 end"


class Busy(Exception):
    """Somebody else is working on this subject."""


class Guard:
    """One held guard."""

    def __init__(self, subject: str, job_id: int) -> None:
        self.key = f"lock:{subject}"
        self.owner = f"job-{job_id}:"
        self.token = self.owner + secrets.token_hex(8)

    def take(self) -> None:
        """Raises Busy when another holds it; a Redis that does not answer counts as free."""
        try:
            if not redis.client().set(self.key, self.token, nx=True, ex=SECONDS):
                raise Busy(self.key)
        except RedisError as error:
            log.warning("guard.without_redis", key=self.key, reason=type(error).__name__)

    def renew(self) -> None:
        self._script(_RENEW, self.token, SECONDS)

    def release(self) -> None:
        self._script(_RELEASE, self.token)

    def bury(self) -> None:
        """Release it whichever worker took it for this job: its lease has run out."""
        self._script(_BURY, self.owner)

    def _script(self, script: str, *args: str | int) -> None:
        try:
            redis.client().eval(script, 1, self.key, *args)
        except RedisError as error:
            log.warning("guard.without_redis", key=self.key, reason=type(error).__name__)


@contextmanager
def hold_each(jobs: Iterable[Job]) -> Iterator[dict[int, Guard]]:
    """While the block runs, hold the guards of those exclusive jobs whose subjects are free; gives them by job id."""
    held: dict[int, Guard] = {}
    try:
        for job in jobs:
            if job.exclusive:
                guard = Guard(job.subject, job.pk)
                with suppress(Busy):
                    guard.take()
                    held[job.pk] = guard
        yield held
    finally:
        for guard in held.values():
            guard.release()
