"""What a measurement is: who takes part, what is told of each, and the goals the medians are held to."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

from bench.stats import median
from bench.world import World

Sample = dict[str, float]


@dataclass(frozen=True)
class Size:
    """1.0 is the real thing; less is for trying out."""

    factor: float = 1.0

    def of(self, count: int, at_least: int = 20) -> int:
        return max(at_least, round(count * self.factor))


@dataclass
class Table:
    """The samples of one measurement, by contender, one per round."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)

    def add(self, contender: str, sample: Sample) -> None:
        self.samples.setdefault(contender, []).append(sample)

    def values(self, contender: str, metric: str) -> list[float]:
        return [sample[metric] for sample in self.samples.get(contender, []) if metric in sample]

    def median(self, contender: str, metric: str) -> float:
        return median(self.values(contender, metric))

    def most(self, contender: str, metric: str) -> float:
        """The worst round: for what must never happen."""
        return max(self.values(contender, metric), default=float("nan"))

    def ratio(self, contender: str, other: str, metric: str) -> float:
        below = self.median(other, metric)
        return self.median(contender, metric) / below if below else float("nan")


@dataclass(frozen=True)
class Goal:
    """A number that must not be above (or below) a limit. What could not be measured has not met its goal."""

    text: str
    value: Callable[[Table], float]
    at_most: float | None = None
    at_least: float | None = None

    def is_met(self, table: Table) -> bool:
        value = self.value(table)
        above = self.at_least is None or value >= self.at_least
        return value == value and above and (self.at_most is None or value <= self.at_most)


def nothing_to_prepare(world: World, size: Size) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class Measurement:
    """``metrics`` maps keys of a sample to column titles; the first one is compared as a ratio to ours."""

    key: str
    title: str
    what: str
    contenders: tuple[str, ...]
    metrics: dict[str, str]
    goals: tuple[Goal, ...]
    run: Callable[[World, str, Size], Sample]
    prepare: Callable[[World, Size], AbstractContextManager[None]] = nothing_to_prepare
