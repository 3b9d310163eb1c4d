"""Medians, percentiles and spreads: pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile; nan of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]


def median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else float("nan")


def shown(value: float) -> str:
    """A number in as many digits as a reader can use."""
    if value != value:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(values: Sequence[float]) -> str:
    """The median, and the lowest and highest beside it when there are several."""
    clean = [value for value in values if value == value]
    if not clean:
        return "–"
    if len(clean) == 1 or min(clean) == max(clean):
        return shown(median(clean))
    return f"{shown(median(clean))} ({shown(min(clean))}–{shown(max(clean))})"
