"""Keeps the samples of full-sized runs and writes docs/benchmarks.md from them.

A run of some measurements replaces those and leaves the others; each says when it was made, and on which commit.
Runs of less than three rounds or of a reduced size are shown and not kept.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from string import ascii_uppercase

from bench.measurement import Measurement, Table
from bench.report import section
from bench.world import ROOT

DOCUMENT = ROOT / "docs" / "benchmarks.md"
FINDINGS = ROOT / "bench" / "findings.md"
RESULTS = ROOT / "bench" / "results"
FULL_ROUNDS = 3
HEAD = """# Measurements

Written by `make bench` from the samples it took; nothing here is typed by hand but the last chapter. Every contender
runs in the same run on the same machine, one after the other, round by round; each cell is the median of the rounds
with the lowest and the highest beside it. PostgreSQL runs with fsync on, Valkey with an append-only file written every
second, everything on loopback. `make bench ONLY=burst,webhook ROUNDS=1` repeats a part.
"""
NOT_YET = "Not measured yet on a quiet machine.\n"


@dataclass
class Kept:
    """The samples of one measurement, and where they come from."""

    table: Table
    note: str
    machine: str

    @classmethod
    def load(cls, path: Path) -> Kept | None:
        if not path.exists():
            return None
        data = json.loads(path.read_text())
        return cls(Table(**data["table"]), data["note"], data["machine"])

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")


def keep(measurement: Measurement, table: Table, note: str, machine: str) -> None:
    Kept(table, note, machine).save(RESULTS / f"{measurement.key}.json")


def write_document(measurements: tuple[Measurement, ...], machine: str = "") -> None:
    """``machine`` is the one just measured on; each measurement says on which one it was made."""
    all_kept = [(measurement, Kept.load(RESULTS / f"{measurement.key}.json")) for measurement in measurements]
    machines = list(dict.fromkeys([machine, *(kept.machine for _, kept in all_kept if kept is not None)]))
    names = dict(zip(machines, ascii_uppercase, strict=False))
    parts = [HEAD, *(_named(machine, names[machine]) for machine in machines if machine)]
    for measurement, kept in all_kept:
        if kept is None:
            parts.append(f"## {measurement.title}\n\n{measurement.what}\n\n{NOT_YET}")
        else:
            parts.append(section(measurement, kept.table, f"{kept.note}, machine {names[kept.machine]}"))
    if FINDINGS.exists():
        parts.append(FINDINGS.read_text())
    DOCUMENT.write_text("\n".join(parts))


def _named(machine: str, name: str) -> str:
    """The table of a machine with its letter; machines that differ by a version alone are two as well."""
    return machine.replace("| machine | |", f"| machine {name} | |", 1)
