"""Jobs whose only work is to write effects into a journal, and the checks that each effect has to pass."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from scheduler import services
from scheduler.errors import Retry, Stop, Wait
from scheduler.kinds import job
from scheduler.models import Job, JobAttempt
from scheduler.runner import Run
from tests.simulation.loom import Host
from tests.simulation.world import Tick, Violation, World

SUBJECTS = ("room:1", "room:1", "room:2")
ENDINGS = ("done", "done", "done", "retry", "wait", "fault", "stop")
MOST_JOBS = 5
S = Job.State


@dataclass
class Promise:
    """What was last committed about a job, as those outside know it."""

    due_at: datetime
    effects: int
    ending: str
    called_off: bool = False
    revived: int = 0


@dataclass(eq=False)
class Open:
    """An effect that has begun and not ended."""

    run: Run
    host: Host


@dataclass
class Effects:
    """The journal, the promises, and everything a seed can do with jobs. ``current`` is the one whose seed runs."""

    world: World
    promises: dict[int, Promise] = field(default_factory=dict)
    asked: int = 0
    journal: list[tuple[int, int, int]] = field(default_factory=list)
    open: dict[str, list[Open]] = field(default_factory=lambda: defaultdict(list))

    # --- what clients do --------------------------------------------------------------------------------------
    def act(self) -> None:
        """One request, chosen by the seed."""
        choices: list[Callable[[], None]] = [self._schedule] * 4 if self.asked < MOST_JOBS else []
        if self.promises:
            choices += [self._reschedule, self._cancel, self._run_now, self._retry]
        if choices:
            self.world.rng.choice(choices)()

    def _schedule(self) -> None:
        rng, now = self.world.rng, self.world.now
        self.asked += 1
        kind = rng.choice(("simulation.plain", "simulation.alone", "simulation.alone"))
        promise = Promise(
            now + timedelta(seconds=rng.choice((0, 0, 1, 5, 30, 90))), rng.randrange(3), rng.choice(ENDINGS)
        )
        subject, priority = rng.choice(SUBJECTS), rng.randint(1, 10)

        def request() -> None:
            with transaction.atomic():
                row = services.schedule(
                    kind, due_at=promise.due_at, now=now, subject=subject, priority=priority,
                    payload={"effects": promise.effects, "ending": promise.ending},
                )  # fmt: skip
                self._once_committed(lambda: self.promises.__setitem__(row.pk, promise))

        self._request(f"schedule {kind} {subject} +{(promise.due_at - now).seconds} s {promise.ending}", request)

    def _reschedule(self) -> None:
        job_id, now = self._any(), self.world.now
        due_at = now + timedelta(seconds=self.world.rng.choice((0, 3, 40, 90)))

        def done() -> None:
            self.promises[job_id].due_at = due_at

        self._verb("reschedule", job_id, lambda rows: services.reschedule(rows, due_at=due_at, now=now), done)

    def _cancel(self) -> None:
        job_id, now = self._any(), self.world.now

        def done() -> None:
            self.promises[job_id].called_off = True

        self._verb("cancel", job_id, lambda rows: services.cancel(rows, now=now), done)

    def _run_now(self) -> None:
        job_id, now = self._any(), self.world.now

        def done() -> None:
            self.promises[job_id].due_at = now

        self._verb("run now", job_id, lambda rows: services.run_now(rows, now=now), done)

    def _retry(self) -> None:
        job_id, now = self._any(), self.world.now

        def done() -> None:
            promise = self.promises[job_id]
            promise.called_off, promise.due_at, promise.revived = False, now, promise.revived + 1

        self._verb("retry", job_id, lambda rows: services.retry(rows, now=now), done)

    def _verb(self, name: str, job_id: int, verb: Callable[..., int], done: Callable[[], None]) -> None:
        def request() -> None:
            with transaction.atomic():
                if verb(Job.objects.filter(pk=job_id)):
                    self._once_committed(done)

        self._request(f"{name} job {job_id}", request)

    def _request(self, name: str, request: Callable[[], None]) -> None:
        self.world.note(name)
        self.world.client(name, request)

    def _any(self) -> int:
        return self.world.rng.choice(sorted(self.promises))

    def _once_committed(self, done: Callable[[], None]) -> None:
        """Known outside from the commit on, whatever befalls the process in the next moment."""
        transaction.on_commit(done)

    # --- what workers do ----------------------------------------------------------------------------------------
    def work(self, run: Run) -> None:
        for number in range(run.payload["effects"]):
            run.check()
            with self._effect(run, number):
                self.world.pause(f"effect {number} of job {run.job_id}")
                if self.world.rng.random() < 0.2:  # some take their time, some longer than their lease
                    self.world.sleep(self.world.rng.choice((1, 5, 40)))
        if run.payload["effects"] == 0:
            self.world.pause(f"job {run.job_id} without effect")
        self._end(run)

    def _end(self, run: Run) -> None:
        ending = run.payload["ending"]
        if ending == "stop":
            raise Stop("nothing will help")
        if run.attempt == 1 and ending == "retry":
            raise Retry("not this time")
        if run.attempt == 1 and ending == "fault":
            raise ZeroDivisionError("a bug")
        if ending == "wait" and self.world.rng.random() < 0.5:
            raise Wait("not yet")

    @contextmanager
    def _effect(self, run: Run, number: int) -> Iterator[None]:
        task = self.world.loom.current
        assert task is not None
        mine = Open(run, task.host)
        with self.world.watching():
            self._may_begin(run, number)
        self.world.note(f"effect {number} of job {run.job_id}.{run.version}")
        self.journal.append((run.job_id, run.version, number))
        self.open[run.subject].append(mine)
        try:
            yield
        finally:
            self.open[run.subject].remove(mine)

    # --- what must hold at each effect --------------------------------------------------------------------------
    def _may_begin(self, run: Run, number: int) -> None:
        row, now = Job.objects.get(pk=run.job_id), self.world.now
        promise = self.promises.get(run.job_id)
        if promise is not None and promise.called_off:
            raise Violation(f"P7: job {run.job_id} acts although its cancelling is committed")
        if (row.state, row.version) != (S.RUNNING, run.version):
            raise Violation(f"P7: {run} acts, but the row is {row.state} at version {row.version}")
        if now < row.run_at or (promise is not None and now < promise.due_at):
            raise Violation(f"P6: job {run.job_id} acts at {now}, before {row.run_at} or {promise}")
        if (run.job_id, run.version, number) in self.journal:
            raise Violation(f"P6: effect {number} of job {run.job_id} twice for one claim")
        for other in self.open[run.subject] if row.exclusive else ():
            if self._is_exclusive_and_held(other):
                raise Violation(f"P6: jobs {other.run.job_id} and {run.job_id} act on {run.subject} at once")

    def _is_exclusive_and_held(self, other: Open) -> bool:
        """A frozen worker whose lease ran out does not count: its next check stops it."""
        held = Job.objects.filter(pk=other.run.job_id, version=other.run.version, state=S.RUNNING, exclusive=True)
        return not other.host.is_dead and held.exists()

    def ticks(self) -> list[Tick]:
        """No duties besides the engine's own."""
        return []

    def check(self) -> None:
        """Between any two steps: the effects themselves are checked as they begin."""

    def calm(self) -> None:
        """Nothing more is asked for."""

    def check_quiet(self) -> None:
        """Whether all is done is only asked at the end."""

    # --- what must hold when all is quiet -----------------------------------------------------------------------
    def is_settled(self) -> bool:
        return not self.world.look("SELECT 1 FROM scheduler_job WHERE state IN ('scheduled', 'running') LIMIT 1")

    def check_end(self) -> None:
        attempts = Counter(JobAttempt.objects.filter(outcome="succeeded").values_list("job_id", flat=True))
        lost = Counter(JobAttempt.objects.filter(outcome="lost").values_list("job_id", flat=True))
        rows = Job.objects.filter(kind__startswith="simulation.")
        for row in rows:
            promise = self.promises[row.pk]
            succeeded, expected = attempts[row.pk], int(row.state == S.SUCCEEDED)
            if succeeded != expected:
                raise Violation(f"done {succeeded} times instead of {expected}: {row} {row.state} {promise}")
            if promise.called_off != (row.state == S.CANCELLED):
                raise Violation(f"P7, P8: {row} is {row.state}, but {promise}")
            if row.state == S.FAILED and promise.ending != "stop" and not lost[row.pk]:
                raise Violation(f"P8: {row} was given up for no reason: {row.last_error}")
            if row.state == S.SUCCEEDED:
                self._acted(row, promise)
        if len(self.promises) != len(rows):
            raise Violation(f"P8: {len(self.promises)} jobs were accepted, {len(rows)} are known")

    def _acted(self, row: Job, promise: Promise) -> None:
        """The claim whose success is recorded wrote every one of its effects, once."""
        by = [number for job_id, version, number in self.journal if (job_id, version) == (row.pk, row.version - 1)]
        if by != list(range(promise.effects)):
            raise Violation(f"{row} is done, but its effects were {by} instead of {promise.effects}")


current: list[Effects] = []


@job("simulation.plain", batch=4)
def plain(run: Run) -> None:
    current[-1].work(run)


@job("simulation.alone", batch=4, exclusive=True, queue="pins")
def alone(run: Run) -> None:
    current[-1].work(run)


def begin(world: World) -> Effects:
    current[:] = [Effects(world)]
    return current[0]
