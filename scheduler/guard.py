"""The guard around a subject: ``SET lock:<subject> <token> NX EX 60``, released by its owner only.

It saves work and noise. Correctness never depends on it: the row's fence does that (``job_one_exclusive_running``),
so a Redis that is away or was emptied means "go on".

The token names the job that holds it, so that the rescuer can release the guard of a dead worker, and only that. A
guard whose job does not run was left behind, by a worker that was killed before its claim, or because Redis was away
when the job ended: the next one removes it.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

import structlog
from redis.exceptions import RedisError

from scheduler import redis
from scheduler.due import Due
from scheduler.models import Job

log = structlog.get_logger(__name__)
SECONDS = 60
SETTLED_SECONDS = 5  # who took it this long ago has claimed its job, or never will
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
            if not self._set() and not (self._remove_left_behind() and self._set()):
                raise Busy(self.key)
        except RedisError as error:
            log.warning("guard.without_redis", key=self.key, reason=type(error).__name__)

    def bury(self) -> None:
        """Release it whichever worker took it for this job: its lease has run out."""
        self._script(_BURY, self.owner)

    def _set(self) -> bool:
        return bool(redis.client().set(self.key, self.token, nx=True, ex=SECONDS))

    def _remove_left_behind(self) -> bool:
        """Whether it is free now. Should this be wrong about the holder, the row's fence keeps the two apart."""
        token: bytes | None = redis.client().get(self.key)  # type: ignore[assignment]
        if token is None:
            return True
        holder = re.match(rb"job-(\d+):", token)
        if holder is None or redis.client().ttl(self.key) > SECONDS - SETTLED_SECONDS:
            return False
        if Job.objects.filter(pk=int(holder[1]), state=Job.State.RUNNING).exists():
            return False
        self._script(_RELEASE, token)
        return True

    def _script(self, script: str, *args: str | bytes | int) -> None:
        try:
            redis.client().eval(script, 1, self.key, *args)
        except RedisError as error:
            log.warning("guard.without_redis", key=self.key, reason=type(error).__name__)


@contextmanager
def hold_each(jobs: Iterable[Due]) -> Iterator[dict[int, Guard]]:
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
        release(held.values())


def renew(guards: Iterable[Guard]) -> None:
    _each(_RENEW, guards, SECONDS)


def release(guards: Iterable[Guard]) -> None:
    _each(_RELEASE, guards)


def _each(script: str, guards: Iterable[Guard], *args: int) -> None:
    """In one round trip for all of them."""
    held = list(guards)
    if not held:
        return
    try:
        with redis.client().pipeline(transaction=False) as pipe:
            for guard in held:
                pipe.eval(script, 1, guard.key, guard.token, *args)
            pipe.execute()
    except RedisError as error:
        log.warning("guard.without_redis", key=held[0].key, guards=len(held), reason=type(error).__name__)
