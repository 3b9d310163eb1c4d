"""Tables of medians with their spread, ratios and goals, as Markdown: for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

from bench.contenders import OURS
from bench.measurement import Measurement, Table
from bench.stats import shown, spread


def section(measurement: Measurement, table: Table, note: str) -> str:
    """One measurement: what was done, its table, its goals, what went wrong."""
    parts = [f"## {measurement.title}", measurement.what, _table(measurement, table)]
    if measurement.goals:
        parts.append(_goals(measurement, table))
    parts += [f"Trouble: {trouble}" for trouble in table.troubles]
    parts.append(f"_{note}_")
    return "\n\n".join(parts) + "\n"


def _table(measurement: Measurement, table: Table) -> str:
    compared = next(iter(measurement.metrics))
    base = OURS if OURS in measurement.contenders else measurement.contenders[0]
    rows = [["", *measurement.metrics.values(), f"{measurement.metrics[compared].split(',')[0]}, ours = 1"]]
    for name in measurement.contenders:
        cells = [spread(table.values(name, metric)) for metric in measurement.metrics]
        rows.append([name, *cells, shown(table.ratio(name, base, compared))])
    return _markdown(rows)


def _goals(measurement: Measurement, table: Table) -> str:
    rows = [["goal", "measured", "met"]]
    for goal in measurement.goals:
        rows.append([goal.text, shown(goal.value(table)), "yes" if goal.is_met(table) else "**no**"])
    return _markdown(rows)


def _markdown(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
