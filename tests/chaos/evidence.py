"""What a chaos run leaves behind, as plain values: promises made, moves of rows, starts, effects, blows.

All times are seconds since 1970 on the one clock of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Promise:
    """From a moment between ``before`` and ``after`` on (the commit lies in between), ``due`` was the time agreed."""

    before: float
    after: float
    due: float


@dataclass
class Order:
    """A job as its author sees it: what was promised, and when it was called off."""

    job_id: int
    steps: int
    ends: str = "succeeded"
    subject: str = ""  # of jobs that must be alone
    promises: list[Promise] = field(default_factory=list)
    cancelled_at: float | None = None  # after the commit

    def due_for(self, asked: float, began: float) -> float:
        """The earliest time that can have been in force for an effect asked about and begun at these moments."""
        agreed = [promise for promise in self.promises if promise.after <= asked][-1:]
        crossing = [promise for promise in self.promises if promise.before <= began and promise.after > asked]
        return min((promise.due for promise in agreed + crossing), default=float("inf"))


@dataclass(frozen=True)
class Move:
    """One move of a job's row, noted by a trigger; ``committed`` is PostgreSQL's own commit time."""

    job_id: int
    version: int
    state: str
    run_at: float
    committed: float
    said: str = ""


@dataclass(frozen=True)
class Visit:
    """A task began to work under the claim ``version``; ``left`` is missing when it was killed."""

    job_id: int
    version: int
    worker: str
    pid: int
    began: float
    left: float | None = None
    copies: int = 1


@dataclass(frozen=True)
class Effect:
    """Something done to the outside. ``asked`` is the moment before ``run.check()``, ``began`` that of the deed."""

    job_id: int
    step: int
    version: int
    worker: str
    pid: int
    asked: float
    began: float
    copies: int = 1


@dataclass(frozen=True)
class Blow:
    """What was done to whom: the processes it touched, by name and by their numbers at that time."""

    at: float
    what: str
    names: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        return " ".join(filter(None, [self.what, "+".join(self.names), f"{self.seconds:.1f}s" if self.seconds else ""]))


@dataclass
class Evidence:
    orders: dict[int, Order] = field(default_factory=dict)
    rows: dict[int, tuple[str, str]] = field(default_factory=dict)  # state and last error
    moves: dict[tuple[int, int], Move] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    blows: list[Blow] = field(default_factory=list)
    fallen: list[str] = field(default_factory=list)  # processes that ended though nobody killed them
    refused: int = 0  # effects that run.check() stopped
    turned_away: int = 0  # orders that failed with an error and left no row: nobody believes they were stored
