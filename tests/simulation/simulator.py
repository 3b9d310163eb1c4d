"""One seed, one story: chaos chosen step by step by the seed, then quiet, and everything must have come right.

``run_seed(world, 123)`` does the same each time. A broken promise becomes a ``Failure`` with the seed and every step.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from scheduler import leases
from tests.builders import NOW
from tests.simulation import effects, stays
from tests.simulation.world import MENDED_WITHIN, Violation, Weather, World

CHAOS_STEPS = 150
QUIET_ROUNDS = 400
WEATHERS = (
    Weather(),
    Weather(kill=0.004),
    Weather(kill=0.02),
    Weather(drop=0.3, twice=0.3, too_early=0.2),
    Weather(flush=0.02, away=0.02),
    Weather(no_renewal=0.05, twice=0.2),
    Weather(no_beat=0.02, away=0.01, kill=0.002),
    Weather(kill=0.004, drop=0.1, twice=0.1, too_early=0.05, flush=0.01, away=0.01, no_beat=0.01, no_renewal=0.02),
)
WORK = ("jobs", "jobs", "jobs", "stays")  # what the seeds are about, in turn


class Work(Protocol):
    """What the engine is given to do in this story, and how one knows that it was done."""

    def act(self) -> None: ...
    def ticks(self) -> list[tuple[str, Callable[[], object]]]: ...
    def check(self) -> None: ...
    def calm(self) -> None: ...
    def is_settled(self) -> bool: ...
    def check_quiet(self) -> None: ...
    def check_end(self) -> None: ...


class Failure(AssertionError):
    """A story that went wrong, told from its beginning."""

    def __init__(self, seed: int, world: World, cause: BaseException) -> None:
        story = [f"{(at - NOW).total_seconds():10.3f} s  {what}" for at, what in world.log]
        super().__init__("\n".join([*story, f"seed {seed}: {cause}", f"again: make simulate SEED={seed}"]))
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
        raise Failure(seed, world, error) from error


def chaos(world: World, work: Work) -> None:
    for _ in range(CHAOS_STEPS):
        step(world, work)
        work.check()


def step(world: World, work: Work) -> None:
    """What happens next. Mostly a task goes on for a bit; now and then something new begins, or goes wrong."""
    rng = world.rng
    ready = world.loom.ready()
    if ready and rng.random() < 0.7:
        world.run(rng.choice(ready))
        return
    misfortune(world)
    choice = rng.random()
    if choice < 0.25:
        work.act()
    elif choice < 0.6 and deliver_something(world):
        pass
    elif choice < 0.78:
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


def deliver_something(world: World) -> bool:
    rng, weather = world.rng, world.weather
    if world.redis_is_away or not world.broker:
        return False
    early = timedelta(hours=1) if rng.random() < weather.too_early else timedelta(seconds=rng.choice((0, 0, 1.5)))
    due = [message for message in world.broker if message.run_at <= world.now + early]
    if not due:
        return False
    message = rng.choice(due)
    if rng.random() < weather.drop:
        world.note(f"DROP {message.kind} {message.pairs}")
        world.broker.remove(message)
    else:
        world.deliver(message, keep=rng.random() < weather.twice)
    return True


def begin_tick(world: World, work: Work) -> None:
    name, start = world.rng.choice(ticks(world, work))
    if name == "renew":
        if not world.keepers_are_away:
            world.note(name)
            start()
    elif not (world.beat_is_away or world.redis_is_away):
        world.note(name)
        start()


def ticks(world: World, work: Work) -> list[tuple[str, Callable[[], object]]]:
    renew = ("renew", lambda: world.tick("renew", leases.renew_all))
    return [("dispatch", world.dispatch), ("rescue", world.rescue), renew, *work.ticks()]


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
    for number in range(QUIET_ROUNDS):
        for _, start in ticks(world, work):
            start()
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
        world.forward_in_quiet(number)
    else:
        raise Violation(f"P11: still not settled after {world.now - began} of quiet")
    work.check_end()
