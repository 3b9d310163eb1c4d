"""One seed, one story: chaos chosen step by step by the seed, then quiet, and everything must have come right.

``run_seed(world, 123)`` does the same each time. A broken promise becomes a ``Failure`` with the seed and every step.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Protocol

from scheduler import clock, dispatcher, leases, rescue
from tests.builders import NOW
from tests.simulation import effects, stays
from tests.simulation.world import MENDED_WITHIN, Tick, Violation, Weather, World

CHAOS_STEPS = 120
QUIET_ROUNDS = 400
WEATHERS = (
    Weather(),
    Weather(kill=0.01),
    Weather(kill=0.04),
    Weather(drop=0.3, twice=0.3, too_early=0.2),
    Weather(kill=0.01, flush=0.05, away=0.04),
    Weather(kill=0.01, no_renewal=0.05, twice=0.2),
    Weather(kill=0.01, no_beat=0.04, away=0.02),
    Weather(kill=0.02, drop=0.1, twice=0.2, too_early=0.1, flush=0.02, away=0.02, no_beat=0.02, no_renewal=0.03),
)
TICKS = (
    Tick("dispatch", 5, lambda: dispatcher.dispatch(now=clock.now())),
    Tick("rescue", 10, lambda: rescue.rescue(now=clock.now())),
    Tick("renew", 10, leases.renew_all),
)
WORK = ("jobs",) * 9 + ("stays",)  # what the seeds are about, in turn


class Work(Protocol):
    """What the engine is given to do in this story, and how one knows that it was done."""

    def act(self) -> None: ...
    def ticks(self) -> list[Tick]: ...
    def check(self) -> None: ...
    def calm(self) -> None: ...
    def is_settled(self) -> bool: ...
    def check_quiet(self) -> None: ...
    def check_end(self) -> None: ...


class Failure(AssertionError):
    """A story that went wrong, told from its beginning."""

    def __init__(self, seed: int, work: str, world: World, cause: BaseException) -> None:
        again = f"make simulate SEED={seed}" + (f" ARGS='--work {work}'" if work else "")
        story = [f"{(at - NOW).total_seconds():10.3f} s  {what}" for at, what in world.log]
        super().__init__("\n".join([*story, f"seed {seed}: {cause}", f"again: {again}"]))
        self.seed = seed


def run_seed(world: World, seed: int, *, work: str = "") -> None:
    """Raises Failure."""
    chooser = random.Random(f"weather {seed}")
    world.begin(seed, chooser.choice(WEATHERS))
    task = stays.begin(world) if (work or WORK[seed % len(WORK)]) == "stays" else effects.begin(world)
    try:
        chaos(world, task)
        quiet(world, task)
    except (Exception, Violation) as error:
        raise Failure(seed, work, world, error) from error


def chaos(world: World, work: Work) -> None:
    haste = world.rng.choice((0.3, 0.5, 0.7))  # slow tasks are more at a time
    for _ in range(world.rng.randint(1, 4)):
        work.act()
    for _ in range(CHAOS_STEPS):
        step(world, work, haste)
        work.check()


def step(world: World, work: Work, haste: float) -> None:
    """What happens next. Mostly a task goes on for a bit; now and then something new begins, or goes wrong."""
    rng = world.rng
    ready = world.loom.ready()
    if ready and rng.random() < haste:
        world.run(rng.choice(ready))
        return
    misfortune(world)
    choice = rng.random()
    if choice < 0.5:
        deliver_something(world)
    elif choice < 0.65:
        work.act()
    elif choice < 0.8:
        begin_tick(world, work)
    else:
        pass_time(world)


def misfortune(world: World) -> None:
    """What the weather brings besides killings, which strike within the tasks."""
    rng, weather = world.rng, world.weather
    if weather.flush and rng.random() < weather.flush:
        world.note("FLUSH")
        world.flush_redis()
    for chance, name in (
        (weather.away, "redis_is_away"), (weather.no_beat, "beat_is_away"), (weather.no_renewal, "keepers_are_away"),
    ):  # fmt: skip
        if chance and rng.random() < chance:
            setattr(world, name, not getattr(world, name))
            world.note(f"{name}: {getattr(world, name)}")


def deliver_something(world: World) -> None:
    rng, weather = world.rng, world.weather
    if world.redis_is_away:
        return
    early = timedelta(hours=1) if rng.random() < weather.too_early else timedelta(seconds=rng.choice((0, 0, 1.5)))
    due = [message for message in world.broker if message.run_at <= world.now + early]
    if not due:
        return
    message = rng.choice(due)
    if rng.random() < weather.drop:
        world.note(f"DROP {message.kind} {message.pairs}")
        world.broker.remove(message)
    else:
        world.deliver(message, keep=rng.random() < weather.twice)


def begin_tick(world: World, work: Work) -> None:
    tick = world.rng.choice([*TICKS, *work.ticks()])
    is_away = world.keepers_are_away if tick.name == "renew" else world.beat_is_away or world.redis_is_away
    if not is_away:
        world.note(tick.name)
        world.tick(tick.name, tick.function)


def pass_time(world: World) -> None:
    seconds = world.rng.choice((0.05, 0.5, 1, 2, 5, 12, 35))
    due = world.next_moment()
    if due is not None and due > world.now and world.rng.random() < 0.5:
        seconds = (due - world.now).total_seconds()
    world.forward(seconds)


def quiet(world: World, work: Work) -> None:
    """Everything works again; soon all that was due must be done, and nothing may have been lost or doubled."""
    world.note("quiet")
    world.weather = Weather()
    world.redis_is_away = world.beat_is_away = world.keepers_are_away = False
    began = world.now
    work.calm()
    next_tick: dict[str, datetime] = {}
    for _ in range(QUIET_ROUNDS):
        for tick in [*TICKS, *work.ticks()]:
            if next_tick.get(tick.name, began) <= world.now:
                world.tick(tick.name, tick.function)
                next_tick[tick.name] = world.now + timedelta(seconds=tick.every)
        while True:
            world.drain()
            due = [message for message in world.broker if message.run_at <= world.now]
            if not due:
                break
            for message in due:
                world.deliver(message)
        work.check()
        if not world.loom.tasks and work.is_settled():
            break
        if world.now - began > MENDED_WITHIN:
            world.check_nothing_is_stuck()
            work.check_quiet()
        world.forward_in_quiet()
    else:
        raise Violation(f"P11: still not settled after {world.now - began} of quiet")
    work.check_end()
