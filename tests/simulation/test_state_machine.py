"""Hypothesis looks for a way to break the promises, step by step, and shortens it when it finds one.

The model is small: what the account last said of each stay, which deliveries were answered, which jobs were asked for.
In the end all is given a quiet while, and the doors must be as the account says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from locks.planning import replan_after_jobs
from scheduler import clock, dispatcher, rescue
from scheduler.leases import renew_all
from scheduler.models import Job
from tests.simulation import effects, stays
from tests.simulation.loom import Task
from tests.simulation.simulator import quiet
from tests.simulation.stays import LEAD, Stay
from tests.simulation.world import Tick, Violation, Weather, simulated_world
from webhooks import inbox
from webhooks.envelope import parse
from webhooks.models import WebhookEvent
from webhooks.services import receive
from webhooks.verification import Verdict

ZONE = ZoneInfo("America/Sao_Paulo")
HALF_HOUR = timedelta(minutes=30)
FUSES = st.none() | st.integers(0, 40)  # None: nothing dies
SEEDS = st.integers(0, 9999)


class Engine(RuleBasedStateMachine):
    """Everything that can happen, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world = self.stack.enter_context(simulated_world())
        self.world.begin(0, Weather())
        inbox.forget()  # another world, another database
        self.jobs = effects.begin(self.world)
        self.stays = stays.begin(self.world)
        self.stays.troubled = False
        self.unanswered: list[Stay] = []

    # --- the account --------------------------------------------------------------------------------------------
    @precondition(lambda self: len(self.stays.truth) < 2)
    @rule(unit=st.integers(0, 1), begins=st.integers(-1, 5), lasts=st.integers(1, 6), fuse=FUSES)
    def book(self, unit: int, begins: int, lasts: int, fuse: int | None) -> None:
        now = self.world.now
        start = now.replace(minute=0, second=0, microsecond=0) + begins * HALF_HOUR
        number = len(self.stays.truth) + 1
        self.say(Stay(f"{number:024x}", unit, start, start + lasts * HALF_HOUR, "booked", now), fuse)

    @precondition(lambda self: self.stays.truth)
    @rule(which=st.integers(0, 1), by=st.integers(-2, 4), fuse=FUSES)
    def extend(self, which: int, by: int, fuse: int | None) -> None:
        stay = self.one(which)
        self.say(replace(stay, ends_at=max(stay.ends_at + by * HALF_HOUR, stay.starts_at + HALF_HOUR)), fuse)

    @precondition(lambda self: self.stays.truth)
    @rule(which=st.integers(0, 1), by=st.integers(-2, 4), fuse=FUSES)
    def reschedule(self, which: int, by: int, fuse: int | None) -> None:
        stay = self.one(which)
        self.say(replace(stay, starts_at=stay.starts_at + by * HALF_HOUR, ends_at=stay.ends_at + by * HALF_HOUR), fuse)

    @precondition(lambda self: self.stays.truth)
    @rule(which=st.integers(0, 1), fuse=FUSES)
    def move_to_the_other_unit(self, which: int, fuse: int | None) -> None:
        stay = self.one(which)
        self.say(replace(stay, unit=1 - stay.unit), fuse)

    @precondition(lambda self: self.stays.truth)
    @rule(which=st.integers(0, 1), fuse=FUSES)
    def cancel_or_reactivate(self, which: int, fuse: int | None) -> None:
        stay = self.one(which)
        self.say(replace(stay, status="canceled" if stay.is_booked else "booked"), fuse)

    @precondition(lambda self: self.unanswered)
    @rule()
    def send_again(self) -> None:
        """What was not answered with 200 is sent again, by now perhaps out of order."""
        self.deliver_news(self.unanswered.pop(0), None)

    @precondition(lambda self: self.stays.truth)
    @rule(which=st.integers(0, 1))
    def send_twice(self, which: int) -> None:
        self.deliver_news(self.stays.truth[self.one(which).external_id], None)

    # --- operators ----------------------------------------------------------------------------------------------
    @rule(seed=SEEDS, fuse=FUSES)
    def ask_for_a_job(self, seed: int, fuse: int | None) -> None:
        """Schedule, reschedule, cancel, run now or retry one of the plain jobs."""
        self.world.rng = Random(seed)
        self.perform(self.jobs.act, fuse)

    # --- the engine ---------------------------------------------------------------------------------------------
    @rule(minutes=st.sampled_from([0.02, 0.1, 0.5, 1, 10, 30, 60]))
    def advance(self, minutes: float) -> None:
        self.world.forward(minutes * 60)
        self.world.drain()

    @rule(fuse=FUSES)
    def dispatch(self, fuse: int | None) -> None:
        self.perform(lambda: self.world.tick("dispatch", lambda: dispatcher.dispatch(now=clock.now())), fuse)

    @rule(fuse=FUSES)
    def look_after_the_dead(self, fuse: int | None) -> None:
        self.perform(lambda: self.world.tick("rescue", lambda: rescue.rescue(now=clock.now())), fuse)
        self.perform(lambda: self.world.tick("replan", lambda: replan_after_jobs(now=clock.now())), None)

    @rule()
    def renew_leases(self) -> None:
        self.perform(lambda: self.world.tick("renew", renew_all), None)

    @precondition(lambda self: self.world.broker)
    @rule(which=SEEDS, again=st.booleans(), pauses=st.none() | st.integers(1, 30), fuse=FUSES)
    def claim_and_work(self, which: int, again: bool, pauses: int | None, fuse: int | None) -> None:
        """A message arrives, perhaps not for the last time; the worker may stop in the middle of it."""
        message = self.world.broker[which % len(self.world.broker)]
        self.world.fuse = fuse
        task = self.world.deliver(message, keep=again)
        self.go_on(task, pauses)

    @rule(pauses=st.integers(1, 30), fuse=FUSES)
    def let_the_others_go_on(self, pauses: int, fuse: int | None) -> None:
        self.world.fuse = fuse
        for task in self.world.loom.ready():
            self.go_on(task, pauses)

    @rule()
    def flush_redis(self) -> None:
        self.world.flush_redis()

    # --- what always holds --------------------------------------------------------------------------------------
    @invariant()
    def one_live_job_per_key_and_one_at_work_per_subject(self) -> None:
        live = Job.objects.filter(state__in=Job.LIVE)
        keys = list(live.exclude(live_key="").values_list("live_key", flat=True))
        assert len(keys) == len(set(keys))
        at_work = list(live.filter(state="running", exclusive=True).values_list("subject", flat=True))
        assert len(at_work) == len(set(at_work))

    def teardown(self) -> None:
        try:
            while self.unanswered:
                self.deliver_news(self.unanswered.pop(0), None)
            with plainly():
                quiet(self.world, self)
        finally:
            self.stack.close()

    # --- the story as ``quiet`` sees it ---------------------------------------------------------------------------
    def ticks(self) -> list[Tick]:
        return [*self.stays.ticks(), Tick("inbox", 10, look_after_inbox)]

    def check(self) -> None:
        """Effects and doors are checked as they happen."""

    def act(self) -> None:
        """Nothing new in the quiet."""

    def calm(self) -> None:
        """No poll: what was answered with 200 is enough (P5)."""

    def is_settled(self) -> bool:
        waiting = WebhookEvent.objects.filter(state=WebhookEvent.State.RECEIVED).exists()
        return self.stays.is_settled() and self.jobs.is_settled() and not waiting

    def check_quiet(self) -> None:
        self.stays.check_quiet()

    def check_end(self) -> None:
        self.jobs.check_end()
        self.stays.check_end()
        if left := WebhookEvent.objects.exclude(state=WebhookEvent.State.PROCESSED).values("state", "reason"):
            raise Violation(f"P5: answered 200 and never processed: {list(left)}")

    # --- the means ----------------------------------------------------------------------------------------------
    def one(self, which: int) -> Stay:
        """One of the stays, as the account would say something new about it now."""
        known = sorted(self.stays.truth.values(), key=lambda stay: stay.external_id)
        stay = known[which % len(known)]
        return replace(stay, said_at=max(self.world.now, stay.said_at + timedelta(seconds=1)))

    def say(self, stay: Stay, fuse: int | None) -> None:
        self.stays.says(stay)
        self.deliver_news(stay, fuse)

    def deliver_news(self, stay: Stay, fuse: int | None) -> None:
        """As a webhook: once it is answered with 200, nobody sends it again."""
        answered: list[bool] = []
        content = body(stay, self.stays)
        self.perform(lambda: self.world.client("webhook", lambda: answered.append(accept(content))), fuse)
        if not answered:
            self.unanswered.append(stay)

    def perform(self, begin: Callable[[], object], fuse: int | None) -> None:
        """Begin something and let it run to its end, or to its death."""
        before = list(self.world.loom.tasks)
        self.world.fuse = fuse
        begin()
        for task in [task for task in self.world.loom.tasks if task not in before]:
            self.go_on(task, None)

    def go_on(self, task: Task, pauses: int | None) -> None:
        for _ in range(1000 if pauses is None else pauses):
            if task.is_done or not task.is_ready():
                break
            with plainly():
                self.world.run(task)
        self.world.fuse = None


@contextmanager
def plainly() -> Iterator[None]:
    """Hypothesis shortens what fails with an ordinary exception."""
    try:
        yield
    except Violation as broken:
        raise AssertionError(str(broken)) from broken


def look_after_inbox() -> None:
    inbox.look_after(now=clock.now())
    inbox.sort(now=clock.now())


def accept(content: bytes) -> bool:
    receive(parse(content), headers={}, body=content, verdict=Verdict.VERIFIED, remote=None, now=clock.now())
    return True


def body(stay: Stay, known: stays.Stays) -> bytes:
    starts, ends = stay.starts_at.astimezone(ZONE), stay.ends_at.astimezone(ZONE)
    payload = {
        "_id": stay.external_id, "id": f"S{stay.external_id[-2:]}", "type": stay.status,
        "_idlisting": known.units[stay.unit].external_id,
        "checkInDate": f"{starts:%Y-%m-%d}", "checkInTime": f"{starts:%H:%M}",
        "checkOutDate": f"{ends:%Y-%m-%d}", "checkOutTime": f"{ends:%H:%M}",
    }  # fmt: skip
    return json.dumps({"action": "reservation.modified", "_dt": stay.said_at.isoformat(), "payload": payload}).encode()


@pytest.mark.once  # the same stories each time; what the engine asks of SQLite, tests/simulation/test_seeds.py sees
@pytest.mark.django_db(transaction=True)
def test_no_order_of_events_breaks_a_promise() -> None:
    bounded = settings(
        max_examples=60, stateful_step_count=20, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip
    run_state_machine_as_test(Engine, settings=bounded)


def test_the_model_and_the_product_mean_the_same_lead(settings: object) -> None:
    assert timedelta(minutes=settings.PIN_LEAD_MINUTES) == LEAD  # type: ignore[attr-defined]
