"""`make bench`: starts what is needed, lets the contenders take turns, prints tables, writes docs/benchmarks.md.

make bench                           everything, three rounds (about an hour and a half)
make bench ONLY=burst,webhook        some of it
make bench ROUNDS=1 SCALE=0.1        a quick try, shown and not kept
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time

from bench.install import install
from bench.keep import FULL_ROUNDS, keep, write_document
from bench.machine import describe, provenance
from bench.measurement import Measurement, Size, Table
from bench.measurements import ALL
from bench.report import section
from bench.world import ROOT, VAR, BenchError, World


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(ROOT)
    chosen, contenders, rounds, size = choice()
    install()
    shutil.rmtree(VAR / "run", ignore_errors=True)
    is_full = rounds >= FULL_ROUNDS and size.factor == 1 and not contenders
    with World(VAR / "run") as world:
        machine = describe(world)
        print(machine, flush=True)
        for measurement in chosen:
            note = provenance(rounds, size.factor)
            table = measure(world, measurement, rounds, size, contenders)
            print("\n" + section(measurement, table, note), flush=True)
            if is_full:
                keep(measurement, table, note, machine)
    if is_full:
        write_document(ALL, machine)
        print("docs/benchmarks.md is written.")
    else:
        print("Shown only: docs/benchmarks.md takes three rounds of the full size.")
    return 0


def choice() -> tuple[list[Measurement], set[str], int, Size]:
    """What the variables of `make bench` ask for."""
    wanted = _words("ONLY")
    unknown = wanted - {measurement.key for measurement in ALL}
    if unknown:
        known = ", ".join(measurement.key for measurement in ALL)
        sys.exit(f"Nothing is called {', '.join(sorted(unknown))}; there are {known}.")
    chosen = [measurement for measurement in ALL if not wanted or measurement.key in wanted]
    return chosen, _words("WHO"), int(os.environ.get("ROUNDS") or 3), Size(float(os.environ.get("SCALE") or 1))


def _words(name: str) -> set[str]:
    return {word.strip() for word in os.environ.get(name, "").split(",") if word.strip()}


def measure(world: World, measurement: Measurement, rounds: int, size: Size, only: set[str]) -> Table:
    """Round by round every contender has its turn, so that a change of the machine meets them all."""
    table = Table()
    with measurement.prepare(world, size):
        for number in range(1, rounds + 1):
            for name in measurement.contenders:
                if only and not any(name.lower().startswith(one.lower()) for one in only):
                    continue
                started = time.monotonic()
                try:
                    table.add(name, measurement.run(world, name, size))
                except BenchError as error:
                    table.troubles.append(f"{name}, round {number}: {str(error).replace(str(ROOT), '.')[:300]}")
                    print(f"  {measurement.key} {number}/{rounds} {name}: {error}", file=sys.stderr, flush=True)
                took = time.monotonic() - started
                print(f"  {measurement.key} {number}/{rounds} {name}: {took:.0f} s", file=sys.stderr, flush=True)
    return table


if __name__ == "__main__":
    sys.exit(main())
