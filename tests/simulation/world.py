"""The surroundings of the engine, all in this process and all under the seed: clock, database, Redis, broker, hosts.

Nothing sleeps and no thread runs. The product's own code is what runs; replaced are only its ways to the outside:
``publisher.publish`` and ``announce``, the Redis client, the thread pool of a worker, the lease-keeper's thread, time.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar
from unittest import mock

import fakeredis
import time_machine
from django.apps import apps
from django.db import connection, transaction
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisAway

from locks import doors
from notifications import receivers
from scheduler import clock, kinds, leases, pool, publisher, queues, redis, runner
from scheduler.models import Job, Queue
from scheduler.publisher import Message
from tests.builders import NOW
from tests.simulation.loom import Host, Killed, Loom, Task

T = TypeVar("T")
MENDED_WITHIN = timedelta(seconds=90)  # a dead worker's guard lives for 60 s, then comes the next tick
ROOMS = ("audit", "scheduler", "reservations", "locks", "notifications", "webhooks")
STANDING = (Queue,)  # what the migrations put there


class Violation(BaseException):
    """A promise was broken. No ``Exception``: nothing in the product may swallow it."""


@dataclass(frozen=True)
class Weather:
    """How bad it is, chosen by the seed. The chances are per opportunity; none of it in a quiet world."""

    kill: float = 0.0  # a process dies, at each statement, effect, publish and word to Redis
    drop: float = 0.0  # a message is lost
    twice: float = 0.0  # a message is delivered and stays in the queue
    too_early: float = 0.0  # a message comes before its time
    flush: float = 0.0  # Redis is emptied, the broker with it
    away: float = 0.0  # Redis goes away, or comes back
    no_beat: float = 0.0  # beat stops, or goes on
    no_renewal: float = 0.0  # the lease-keepers fall silent, or go on: as SIGSTOP does


@dataclass(frozen=True)
class Tick:
    """A duty that comes again and again, in seconds; in a storm whenever the seed likes."""

    name: str
    every: float
    function: Callable[[], Any]


class World:
    """One system and its adversary. ``begin`` makes a fresh one for each seed."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self.loom = Loom()
        self._thread = threading.get_ident()
        self.redis = fakeredis.FakeRedis()
        self._traveller = traveller
        self._tables = [
            model._meta.db_table
            for model in apps.get_models()
            if model._meta.app_label in ROOMS and model not in STANDING
        ]
        self._sequences = self._named_sequences()
        self.begin(0, Weather())

    def begin(self, seed: int, weather: Weather) -> None:
        """Everything as on the first day."""
        self.loom.clear()
        self.rng = random.Random(seed)
        random.seed(seed)  # the back-off's jitter
        self.weather = weather
        self.fuse: int | None = None  # the process that comes to this many more places where it may die, dies there
        self.broker: list[Message] = []
        self.log: list[tuple[datetime, str]] = []
        self.redis_is_away = self.beat_is_away = self.keepers_are_away = False
        self._traveller.move_to(NOW, tick=False)
        self.redis.flushall()
        self._empty_tables()
        queues.forget()
        self.workers = [Host(f"worker-{number}") for number in (1, 2, 3)]
        self.tickers = [Host(f"ticker-{number}") for number in (1, 2)]
        self.web = Host("web")
        self.street: Any = None

    def _named_sequences(self) -> list[str]:
        if connection.vendor != "postgresql":
            return []
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(sequencename), sequencename FROM pg_sequences")
            return [quoted for quoted, name in cursor.fetchall() if name.removesuffix("_id_seq") in self._tables]

    def _empty_tables(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table in self._tables:
                cursor.execute(f'DELETE FROM "{table}"')
            if connection.vendor == "sqlite":  # the same numbers in every run
                cursor.execute("DELETE FROM sqlite_sequence")
            else:
                cursor.execute("; ".join(f"ALTER SEQUENCE {name} RESTART" for name in self._sequences))

    # --- time -----------------------------------------------------------------------------------------------
    @property
    def now(self) -> datetime:
        return clock.now()

    def note(self, what: str) -> None:
        self.log.append((self.now, what))

    def forward(self, seconds: float) -> None:
        self._traveller.move_to(self.now + timedelta(seconds=seconds), tick=False)

    def sleep(self, seconds: float) -> None:
        if threading.get_ident() != self._thread:  # the lease-keeper of an earlier test
            time.sleep(seconds)
            return
        wakes = self.now + timedelta(seconds=seconds)
        self.loom.pause(f"sleep {seconds:.3f}", lambda: self.now >= wakes)

    # --- what may strike ------------------------------------------------------------------------------------
    def strike(self, where: str) -> None:
        """The running task's process may die here."""
        task = self.loom.current
        if task is None:
            return
        if task.host.is_dead:
            raise Killed
        burnt = False
        if self.fuse is not None:
            self.fuse -= 1
            burnt = self.fuse < 0
        if burnt or (self.weather.kill and self.rng.random() < self.weather.kill):
            self.fuse = None
            self.note(f"KILL {task.host.name} in {task.name} before {where}")
            task.host.is_dead = True
            raise Killed

    def pause(self, where: str) -> None:
        self.loom.pause(where)
        self.strike(where)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The checks of the simulator look at the database without a pause and without being struck."""
        task, self.loom.current = self.loom.current, None
        try:
            yield
        finally:
            self.loom.current = task

    def look(self, sql: str) -> list[tuple[Any, ...]]:
        """The same for what is asked at nearly every step: building such a query with Django takes longer than it."""
        with self.watching(), connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Around every statement: elsewhere something may happen first, or the process dies here."""
        task = self.loom.current
        if task is not None:
            if task.host.is_dead and sql.startswith(("ROLLBACK", "RELEASE")):
                return execute(sql, params, many, context)
            where = sql.partition(' "s')[0] if "SAVEPOINT" in sql[:21] else sql[:60]  # its name differs in every run
            if not connection.in_atomic_block:
                self.loom.pause(where)
            self.strike(where)
        return execute(sql, params, many, context)

    # --- broker ---------------------------------------------------------------------------------------------
    def publish(self, message: Message) -> None:
        self.pause("publish")
        if self.redis_is_away:
            raise OperationalError("Redis is away")
        self.broker.append(message)

    def announce(self, messages: Iterable[Message]) -> None:
        """As the announcer's thread does it: not in the way of the caller, and forgotten when its process dies."""
        task = self.loom.current
        host = task.host if task else self.web
        host.outbox.extend(messages)
        self.loom.spawn("announcer", host, lambda: self._tell_broker(host))

    def _tell_broker(self, host: Host) -> None:
        waiting, host.outbox = host.outbox, []
        for message in publisher.merge(waiting, self.now):
            try:
                self.publish(message)
            except OperationalError:
                self.note("not announced")

    def deliver(self, message: Message, *, keep: bool = False) -> Task:
        """A worker gets the message."""
        if not keep:
            self.broker.remove(message)
        number = self.rng.randrange(len(self.workers))
        if self.workers[number].is_dead:
            self.workers[number] = Host(self.workers[number].name)
        host, kind = self.workers[number], kinds.get(message.kind)
        pairs = [list(pair) for pair in message.pairs]
        self.note(f"deliver {message.kind} {pairs} to {host.name}{' and keep it' if keep else ''}")
        return self.loom.spawn(f"run {pairs}", host, lambda: runner.run_all(kind, pairs, worker=host.name))

    def side_by_side(self, _queue: str, calls: Sequence[Callable[[], T]]) -> Iterator[T]:
        """The threads of a worker, as tasks of its host."""
        parent = self.loom.current
        if parent is None or len(calls) == 1:
            yield from (call() for call in calls)
            return
        children = [self.loom.spawn(f"{parent.name} #{n}", parent.host, call) for n, call in enumerate(calls)]
        while children:
            self.loom.pause("waiting for threads", lambda: any(child.is_done for child in children))
            for child in [child for child in children if child.is_done]:
                children.remove(child)
                if child.error is not None:
                    raise child.error
                yield child.result

    # --- the ticks of beat ----------------------------------------------------------------------------------
    def tick(self, name: str, function: Callable[[], Any]) -> Task:
        """A duty that beat sends, on one of the tickers."""
        number = self.rng.randrange(len(self.tickers))
        if self.tickers[number].is_dead:
            self.tickers[number] = Host(self.tickers[number].name)
        return self.loom.spawn(name, self.tickers[number], function)

    def client(self, name: str, function: Callable[[], Any]) -> Task:
        """Somebody outside asks for something, in one request."""
        if self.web.is_dead:
            self.web = Host("web")
        return self.loom.spawn(name, self.web, function)

    # --- steps ----------------------------------------------------------------------------------------------
    def run(self, task: Task) -> None:
        """The next step of a task. Whatever the product raises there was not foreseen."""
        self.loom.resume(task)
        if isinstance(task.error, Violation):
            raise task.error
        if task.error is not None:
            raise Violation(f"{task.name} raised {task.error!r}") from task.error

    def drain(self) -> None:
        """Let all run that can, the oldest first."""
        while ready := self.loom.ready():
            self.run(ready[0])

    def flush_redis(self) -> None:
        self.redis.flushall()
        self.broker.clear()

    def check_nothing_is_stuck(self) -> None:
        """P11: what was due a while ago has been tried; what a dead worker held is held no more."""
        with self.watching():
            long_ago = self.now - MENDED_WITHIN
            stuck = Job.objects.filter(state=Job.State.SCHEDULED, run_at__lt=long_ago)
            frozen = Job.objects.filter(state=Job.State.RUNNING, lease_until__lt=self.now - timedelta(seconds=30))
            if row := stuck.first() or frozen.first():
                raise Violation(f"P11: {row} is {row.state} since {row.updated_at}, due {row.run_at}")

    def forward_in_quiet(self) -> None:
        """To the next thing that waits for its time; in small steps while something is held or overdue."""
        waits = [
            self._seconds_until(state, moment(run_at), published_at is not None)
            for state, run_at, published_at in self.look(
                "SELECT state, run_at, published_at FROM scheduler_job WHERE state IN ('scheduled', 'running')"
            )
        ]
        waits += [(message.run_at - self.now).total_seconds() for message in self.broker]
        self.forward(5 if self.loom.tasks else max(1, min(waits, default=5)))

    def _seconds_until(self, state: str, run_at: datetime, is_published: bool) -> float:
        """A job that is not yet published is first of all a matter for the dispatcher."""
        seconds = (run_at - self.now).total_seconds()
        if state == Job.State.RUNNING or seconds <= 0:
            return 10
        return seconds if is_published or seconds <= 60 else seconds - 30

    def next_moment(self) -> datetime | None:
        """When the next thing is due that only waits for its time."""
        [(due,)] = self.look("SELECT min(run_at) FROM scheduler_job WHERE state = 'scheduled'")
        return moment(due) if due else None


def moment(value: datetime | str) -> datetime:
    """SQLite keeps moments as text, without their zone, which is UTC."""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class _Redis:
    """The client the product gets: the real commands on a pretend server that may be away."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, command: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self._world.pause(f"redis {command}")
            if self._world.redis_is_away:
                raise RedisAway("away")
            return getattr(self._world.redis, command)(*args, **options)

        return call


@contextmanager
def simulated_world() -> Iterator[World]:
    """Put the product into a world of its own; the database is the configured one."""
    with ExitStack() as stack:
        world = World(stack.enter_context(time_machine.travel(NOW, tick=False)))
        virtual = SimpleNamespace(sleep=world.sleep, monotonic=lambda: world.now.timestamp())
        client = _Redis(world)
        for target, name, replacement in (
            (publisher, "publish", world.publish),
            (publisher, "announce", world.announce),
            (redis, "client", lambda: client),
            (pool, "side_by_side", world.side_by_side),
            (doors, "provider_for", lambda _brand: world.street),
            (receivers, "plan_telling", lambda *_, **__: None),  # what guests are told is another story
            (receivers, "notices", mock.MagicMock()),
            (leases, "_ensure_thread", lambda: None),
            (leases, "renew_all", lambda: None),  # by such a thread; the simulator has the real one
            (leases, "time", virtual),
            (queues, "time", virtual),
            (runner, "time", virtual),
        ):
            stack.enter_context(mock.patch.object(target, name, replacement))
        stack.enter_context(connection.execute_wrapper(world.execute))
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        stack.callback(logging.disable, before)
        yield world
        world.loom.clear()
