"""Who breaks things: draws blows from a shuffled deck, so that even a short storm sees every kind of them.

The seed fixes the order of the blows and their targets' dice; what they hit in mid-flight is up to the machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import redis

from tests.chaos.evidence import Blow
from tests.chaos.stage import TICKERS, WORKERS, Stage

VICTIMS = {"worker": WORKERS, "ticker": TICKERS, "beat": ("beat",), "valkey": ("valkey",)}
DECK = (
    *["kill worker"] * 3, "kill ticker", "kill beat", *["freeze worker"] * 2, "freeze ticker", "freeze valkey", "flush",
    "restart valkey", "restart valkey empty", *["cut workers"] * 2, "cut some", "cut all",
)  # fmt: skip
BACKENDS = """
SELECT pid, application_name FROM pg_stat_activity
WHERE datname = 'smartlock' AND backend_type = 'client backend' ORDER BY pid
"""


@dataclass(frozen=True)
class Temper:
    """Seconds between blows, and how long the frozen stay frozen at the most."""

    pause: tuple[float, float] = (1.0, 6.0)
    freeze: float = 40.0


class Adversary:
    """Call ``turn`` often; everything happens in the caller's thread."""

    def __init__(self, stage: Stage, *, seed: str, temper: Temper, say: Callable[[str], None]) -> None:
        self.blows: list[Blow] = []
        self.fallen: list[str] = []
        self._stage = stage
        self._temper = temper
        self._say = say
        self._rng = random.Random(f"adversary {seed}")
        self._deck: list[str] = []
        self._amends: list[tuple[float, Callable[[], None]]] = []
        self._next = time.time() + self._rng.uniform(*temper.pause)

    def turn(self) -> None:
        self.mend()
        if time.time() >= self._next:
            self._next = time.time() + self._rng.uniform(*self._temper.pause)
            self._strike()

    def mend(self) -> bool:
        """Start again and thaw whose time has come; tells whether all are up. Nobody may end unless killed here."""
        now = time.time()
        for story in self._stage.bury_fallen():
            self._say(f"fallen: {story}")
            self.fallen.append(story)
        for amend in [amend for at, amend in self._amends if at <= now]:
            amend()
        self._amends = [(at, amend) for at, amend in self._amends if at > now]
        return not self._amends

    def _strike(self) -> None:
        if not self._deck:
            self._deck = self._rng.sample(DECK, len(DECK))
        what, _, target = self._deck.pop().partition(" ")
        blow = getattr(self, f"_{what}")(target)
        if blow is not None:
            self.blows.append(blow)
            self._say(str(blow))

    def _later(self, seconds: float, amend: Callable[[], None]) -> None:
        self._amends.append((time.time() + seconds, amend))

    def _victim(self, target: str) -> str | None:
        healthy = self._stage.healthy(*VICTIMS[target])
        return self._rng.choice(healthy) if healthy else None

    # --- the blows ----------------------------------------------------------------------------------------------------

    def _kill(self, target: str) -> Blow | None:
        name = self._victim(target)
        if name is None:
            return None
        at = time.time()
        pid = self._stage.kill(name)
        self._later(self._rng.uniform(0, 4), lambda: self._revive(name))
        return Blow(at, "kill", (name,), (pid,))

    def _revive(self, name: str) -> None:
        if name not in self._stage.processes:
            self._stage.start(name)

    def _freeze(self, target: str) -> Blow | None:
        name = self._victim(target)
        if name is None:
            return None
        # Either a hiccup, or so long that leases run out. Valkey is frozen for less: by it nobody loses a claim.
        share = self._rng.choice([self._rng.uniform(0.02, 0.4), self._rng.uniform(0.85, 1)])
        seconds = share * (6 if name == "valkey" else self._temper.freeze)
        at = time.time()
        pid = self._stage.freeze(name)
        self._later(seconds, lambda: self._stage.thaw(name))
        return Blow(at, "freeze", (name,), (pid,), seconds)

    def _restart(self, target: str) -> Blow | None:
        if not self._stage.healthy("valkey"):
            return None
        pid = self._stage.kill("valkey")
        empty = target.endswith("empty")
        if empty:
            self._stage.wipe_valkey()
        seconds = self._rng.uniform(0, 4)
        self._later(seconds, lambda: self._revive("valkey"))
        return Blow(time.time(), "restart empty" if empty else "restart", ("valkey",), (pid,), seconds)

    def _flush(self, _: str) -> Blow | None:
        if not self._stage.healthy("valkey"):
            return None
        with redis.Redis.from_url(self._stage.env["REDIS_URL"], socket_timeout=2, socket_connect_timeout=2) as client:
            try:
                client.flushall()
            except redis.RedisError:  # it is still loading
                return None
        return Blow(time.time(), "flush", ("valkey",))

    def _cut(self, target: str) -> Blow | None:
        """Terminate connections to the product's database: some of workers at work, some of anybody, or all."""
        at = time.time()
        with psycopg.connect(self._stage.env["CHAOS_SERVER"], autocommit=True) as connection:
            backends = connection.execute(BACKENDS).fetchall()
            if target == "workers":
                backends = [(pid, name) for pid, name in backends if name in WORKERS]
            if target != "all":
                backends = self._rng.sample(backends, min(len(backends), 3))
            for pid, _ in backends:
                connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
        names = tuple(sorted({name for _, name in backends}))
        pids = tuple(self._stage.processes[name].pid for name in names if name in self._stage.processes)
        return Blow(at, "cut", names, pids) if names else None
