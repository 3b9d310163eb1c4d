"""Circuit breakers: after repeated failures nothing is sent for a while, then one probe; its success closes again.

    closed ──failures──► open ──pause over──► one probe ──success──► closed
                          ▲                      │
                          └──── longer pause ────┘

The state machine is pure functions over ``State``. A shelf keeps the states: Redis, so that all processes share them,
and this process's memory as long as Redis is away. A Redis that is emptied closes every breaker; the next failures
open them again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import redis
import structlog

log = structlog.get_logger(__name__)

# A probe that has not reported by then died with its worker: another may try.
PROBE_SECONDS = 20.0
# How long to stay away while somebody else probes.
PROBED_SECONDS = 5.0
KEPT_SECONDS = 24 * 3600
COLLISIONS = 20


@dataclass(frozen=True)
class State:
    """``failures`` in a row, the last at ``last_at``; while open, nothing before ``until``. Epoch seconds."""

    failures: int = 0
    last_at: float = 0.0
    opened_at: float = 0.0
    until: float = 0.0
    pauses: int = 0
    is_probed: bool = False
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.opened_at > 0

    def wait(self, now: float) -> float:
        """How long to stay away; 0 when a call may be made, as a probe if it is open."""
        if not self.is_open or now >= self.until:
            return 0.0
        return min(PROBED_SECONDS, self.until - now) if self.is_probed else self.until - now


CLOSED = State()


@dataclass(frozen=True)
class Policy:
    """``threshold`` failures, none more than ``within`` seconds after the one before, open it for ``pauses[0]``.

    Each failed probe takes the next pause, the last one again and again.
    """

    threshold: int
    within: float
    pauses: tuple[float, ...]

    def pause(self, nth: int) -> float:
        return self.pauses[min(nth, len(self.pauses) - 1)]


def probing(state: State, now: float) -> State:
    """Somebody takes the probe: the others keep away until it has reported."""
    if not state.is_open or state.wait(now) > 0:
        return state
    return replace(state, until=now + PROBE_SECONDS, is_probed=True)


def failed(state: State, policy: Policy, *, now: float, reason: str, probe: bool, at_once: bool = False) -> State:
    """One more failure. Those that were under way when it opened change nothing. ``at_once``: no need to count."""
    if state.is_open:
        if not probe:
            return state
        pauses = state.pauses + 1
        return replace(
            state, last_at=now, until=now + policy.pause(pauses), pauses=pauses, is_probed=False, reason=reason
        )  # fmt: skip
    failures = 1 + (state.failures if now - state.last_at <= policy.within else 0)
    counted = State(failures=failures, last_at=now, reason=reason)
    if failures < policy.threshold and not at_once:
        return counted
    return replace(counted, opened_at=now, until=now + policy.pause(0))


def succeeded(state: State, *, probe: bool) -> State:
    """It works. Of an open breaker only the probe may say so: other answers were under way before."""
    return CLOSED if probe or not state.is_open else state


def released(state: State, *, now: float) -> State:
    """The probe was not made after all."""
    return replace(state, until=now, is_probed=False) if state.is_probed else state


Step = Callable[[State], State]


class Shelf(Protocol):
    def read(self, *names: str) -> list[State]: ...

    def change(self, name: str, step: Step) -> tuple[State, State]:
        """Apply a step, alone; returns the state before and after."""
        ...


class MemoryShelf:
    """The breakers of this process alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, State] = {}

    def read(self, *names: str) -> list[State]:
        with self._lock:
            return [self._states.get(name, CLOSED) for name in names]

    def change(self, name: str, step: Step) -> tuple[State, State]:
        with self._lock:
            before = self._states.get(name, CLOSED)
            after = step(before)
            if after == CLOSED:
                self._states.pop(name, None)
            else:
                self._states[name] = after
            return before, after


class RedisShelf:
    """The breakers of all processes; written to only when something is wrong."""

    def __init__(self, connection: Callable[[], redis.Redis]) -> None:
        self._connection = connection
        self._own = MemoryShelf()
        self._is_alone = False

    def read(self, *names: str) -> list[State]:
        try:
            texts = self._connection().mget([_key(name) for name in names])
        except redis.RedisError as error:
            self._tell(type(error).__name__)
            return self._own.read(*names)
        self._tell("")
        return [_state(text) for text in texts]

    def change(self, name: str, step: Step) -> tuple[State, State]:
        try:
            return self._change(name, step)
        except redis.RedisError as error:
            self._tell(type(error).__name__)
            return self._own.change(name, step)

    def _tell(self, reason: str) -> None:
        """Once per outage, not once per call."""
        if reason and not self._is_alone:
            log.warning("breaker.without_redis", reason=reason)
        self._is_alone = bool(reason)

    def _change(self, name: str, step: Step) -> tuple[State, State]:
        key = _key(name)
        with self._connection().pipeline() as pipe:
            for _ in range(COLLISIONS):
                pipe.watch(key)
                before = _state(pipe.get(key))
                after = step(before)
                if after == before:
                    pipe.unwatch()
                    return before, after
                pipe.multi()
                if after == CLOSED:
                    pipe.delete(key)
                else:
                    pipe.set(key, json.dumps(asdict(after)), ex=KEPT_SECONDS)
                try:
                    pipe.execute()
                    return before, after
                except redis.WatchError:
                    continue
        # So many change it at this moment that one report more or less says nothing new.
        return before, before


def _key(name: str) -> str:
    return f"breaker:{name}"


def _state(text: object) -> State:
    if not isinstance(text, bytes | str):
        return CLOSED
    try:
        return State(**json.loads(text))
    except (ValueError, TypeError):  # of another release
        return CLOSED
