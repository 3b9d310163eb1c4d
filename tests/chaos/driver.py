"""The steady stream: schedules jobs due in the next seconds, moves some, calls some off, and notes what was agreed.

It stands for the web process: it uses the same verbs, and its database connection is cut like everybody else's. What
is in doubt after an error is looked up in the row, as an honest caller would do.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from scheduler import services
from scheduler.models import Job
from tests.chaos.evidence import Evidence, Order, Promise

T = TypeVar("T")
SUBJECTS = 20
FARTHEST = 12.0  # seconds ahead; the horizon is 5, so about half is left to the dispatchers


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Driver(threading.Thread):
    """Runs until it is asked to stop."""

    def __init__(self, evidence: Evidence, *, seed: str, rate: float, longest: float) -> None:
        super().__init__(name="driver", daemon=True)
        self.evidence = evidence
        self.error: BaseException | None = None
        self._rng = random.Random(f"driver {seed}")
        self._rate = rate
        self._longest = longest
        self._over = threading.Event()
        self._made = 0

    def run(self) -> None:
        try:
            while not self._over.wait(self._rng.expovariate(self._rate)):
                self._turn()
        except BaseException as error:
            self.error = error
        finally:
            connection.close()

    def finish(self) -> None:
        self._over.set()
        self.join(30)
        if self.error is not None:
            raise self.error

    def _turn(self) -> None:
        verbs = [self._schedule, self._reschedule, self._cancel, self._run_now, self._schedule_twice]
        [verb] = self._rng.choices(verbs, weights=[70, 12, 8, 5, 5])
        verb()

    # --- the verbs ----------------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        self._made += 1
        key = f"chaos-{self._made}"
        kind = self._rng.choice(["chaos.act", "chaos.act", "chaos.alone"])
        subject = f"door:{self._rng.randrange(SUBJECTS)}" if kind == "chaos.alone" else f"guest:{self._made}"
        payload = self._payload(kind)
        before = time.time()
        due = before + self._rng.choice([0.0, self._rng.uniform(0, 2), self._rng.uniform(2, FARTHEST)])

        def write() -> Job:
            return services.schedule(
                kind, due_at=moment(due), now=moment(before), subject=subject, live_key=key, payload=payload,
                priority=self._rng.randint(1, 10),
            )  # fmt: skip

        job = self._surely(write, lambda: Job.objects.filter(live_key=key).first())
        if job is None:
            self.evidence.turned_away += 1
            return
        ends = "failed" if payload["hopeless"] else "succeeded"
        alone = subject if kind == "chaos.alone" else ""
        order = Order(job.pk, int(payload["steps"]), ends, alone, [Promise(before, time.time(), due)])
        self.evidence.orders[job.pk] = order

    def _payload(self, kind: str) -> dict[str, float]:
        rng = self._rng
        takes = 0.0 if rng.random() < 0.3 else rng.uniform(0, 3)
        if kind == "chaos.act" and rng.random() < 0.01:
            takes = self._longest
        return {
            "steps": rng.choice([1, 2, 3, 4]), "takes": takes, "waits": int(rng.random() < 0.08),
            "retries": int(rng.random() < 0.08), "hopeless": rng.random() < 0.03,
        }  # fmt: skip

    def _schedule_twice(self) -> None:
        """A second order under a live key must find the first as long as that one lives, never add another."""
        order = self._some_order()
        if order is None:
            return

        def write() -> None:
            with transaction.atomic():
                held = Job.objects.select_for_update().get(pk=order.job_id)
                if held.is_live():
                    now = moment(time.time())
                    twin = services.schedule(held.kind, due_at=now, now=now, live_key=held.live_key)
                    assert twin.pk == held.pk, f"two live jobs with key {held.live_key}"

        self._surely(write, lambda: None)

    def _reschedule(self) -> None:
        order = self._some_order()
        if order is not None:
            due = time.time() + self._rng.uniform(0, FARTHEST)
            self._move(order, due, lambda jobs, now: services.reschedule(jobs, due_at=moment(due), now=moment(now)))

    def _run_now(self) -> None:
        order = self._some_order()
        if order is not None:
            self._move(order, 0.0, lambda jobs, now: services.run_now(jobs, now=moment(now)))

    def _move(self, order: Order, due: float, verb: Callable[..., int]) -> None:
        """``due`` 0 means at once. In doubt, both the old and the new time count as agreed."""
        jobs = Job.objects.filter(pk=order.job_id)
        before = time.time()
        due = due or before
        moved = self._surely(lambda: verb(jobs, before), lambda: -1)
        if moved:
            after = time.time() if moved > 0 else float("inf")
            order.promises.append(Promise(before, after, due))

    def _cancel(self) -> None:
        order = self._some_order()
        if order is None:
            return
        jobs = Job.objects.filter(pk=order.job_id)
        now = moment(time.time())
        gone = self._surely(
            lambda: services.cancel(jobs, now=now), lambda: int(jobs.filter(state=Job.State.CANCELLED).exists())
        )
        if gone:
            order.cancelled_at = time.time()

    # --- help ---------------------------------------------------------------------------------------------------------

    def _some_order(self) -> Order | None:
        """One that waits, or may just be at work."""
        since = time.time() - 2
        recent = list(self.evidence.orders.values())[-300:]
        open_ones = [order for order in recent if order.cancelled_at is None and order.promises[-1].due > since]
        return self._rng.choice(open_ones) if open_ones else None

    def _surely(self, verb: Callable[[], T], look: Callable[[], T]) -> T:
        """Do it; when the connection breaks on the way, look what became of it, for as long as it takes."""
        act = verb
        while True:
            try:
                return act()
            except (OperationalError, InterfaceError):
                connection.close()
                act = look
                time.sleep(0.05)
