"""When to try again: a pure function of policy, attempt and error."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.errors import Retry, Stop, Wait


@dataclass(frozen=True)
class RetryPolicy:
    """How often a kind is tried and how long it waits in between, in seconds.

    After the n-th failure the wait is ``delays[n-1]``; behind the end of the list ``then_every``, or, without it,
    the last delay. ``wait_delays`` is the same for a job that was put back without being at fault. After
    ``max_losses`` tries in a row that their worker did not survive, the job is held to be what kills them.
    """

    delays: tuple[float, ...] = (2, 4, 8)
    then_every: float | None = None
    max_attempts: int = 3
    wait_delays: tuple[float, ...] = (2, 4, 8, 15, 30, 60)
    wait_then_every: float = 300
    max_losses: int = 5
    stop_is_final: bool = True
    jitter: float = 0.1

    def delay(self, failures: int) -> float:
        if failures <= len(self.delays):
            return self.delays[failures - 1]
        return self.last_delay

    @property
    def last_delay(self) -> float:
        return self.then_every if self.then_every is not None else self.delays[-1]

    def wait_delay(self, waits: int) -> float:
        return self.wait_delays[waits - 1] if waits <= len(self.wait_delays) else self.wait_then_every


DEFAULT = RetryPolicy()
APART = 10  # seconds within which the jobs of a dead worker are laid, for each time they were lost


def next_try(
    policy: RetryPolicy, error: Exception, *, attempt: int, waits: int, now: datetime, rng: random.Random | None = None
) -> datetime | None:
    """The moment of the next try, or None when there is none.

    ``attempt`` counts the tries that were used up, this one included; ``waits`` the times it was put back so far.
    Jitter only ever lengthens a wait: a retry is never earlier than its policy says.
    """
    if isinstance(error, Stop) and policy.stop_is_final:
        return None
    if isinstance(error, Wait):
        seconds = policy.wait_delay(waits)
    elif attempt >= policy.max_attempts:
        return None
    else:
        seconds = policy.delay(attempt)
    if isinstance(error, (Retry, Wait)) and error.after is not None:
        seconds = error.after
    return now + timedelta(seconds=seconds * (1 + policy.jitter * (rng or random).random()))


def after_loss(
    policy: RetryPolicy, *, attempt: int, losses: int, now: datetime, rng: random.Random | None = None
) -> datetime | None:
    """The moment of the next try after the worker died, or None when there is none.

    ``losses`` counts the tries in a row that ended so, this one included. The first time it is at once, since workers
    are killed for many reasons. From then on the jobs that were lost together come apart, so that one which kills its
    worker does so alone, and the others are not taken for it.
    """
    if attempt >= policy.max_attempts:
        return None
    if losses >= policy.max_losses:
        return now + timedelta(seconds=policy.last_delay) if not policy.stop_is_final else None
    return now + timedelta(seconds=APART * (losses - 1) * (rng or random).random())
