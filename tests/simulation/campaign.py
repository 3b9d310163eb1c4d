"""Runs many seeds on all cores and tells the first that fails."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import random
import time
from collections.abc import Iterator, Sequence

from django.apps import apps
from django.core.management import call_command
from django.db import connection

from tests.simulation.simulator import Failure, run_seed
from tests.simulation.world import simulated_world

CHUNK = 25


def command(arguments: Sequence[str]) -> int:
    """``--seeds COUNT [--first SEED] [--work jobs|stays]``, or ``--seed SEED`` to replay one."""
    parser = argparse.ArgumentParser(prog="make simulate")
    parser.add_argument("--seeds", type=int, default=2000, help="how many new stories")
    parser.add_argument("--first", type=int, help="the first of them; else a random one")
    parser.add_argument("--seed", type=int, help="replay this one and print its steps")
    parser.add_argument("--work", choices=("jobs", "stays"), default="", help="only stories about these")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return replay(options.seed, options.work)
    first = random.SystemRandom().randrange(10**8) if options.first is None else options.first
    return campaign(range(first, first + options.seeds), options.work, options.processes)


def campaign(seeds: range, work: str, processes: int) -> int:
    began, done = time.perf_counter(), 0
    chunks = [(seeds[start : start + CHUNK], work) for start in range(0, len(seeds), CHUNK)]
    with multiprocessing.get_context("fork").Pool(processes, initializer=prepare) as pool:
        for finished, story in pool.imap_unordered(run_chunk, chunks):
            done += finished
            if story:
                print(story)
                return 1
    took = time.perf_counter() - began
    print(f"{done} seeds from {seeds[0]} held every promise in {took:.0f} s: {done / took * 60:.0f} seeds a minute")
    return 0


def replay(seed: int, work: str) -> int:
    prepare()
    with simulated_world() as world:
        try:
            run_seed(world, seed, work=work)
        except Failure as failure:
            print(failure)
            return 1
        for at, what in world.log:
            print(f"{at:%H:%M:%S.%f}  {what}")
    print(f"seed {seed} held every promise")
    return 0


def prepare() -> None:
    """Each process has a database of its own, in memory."""
    call_command("migrate", verbosity=0, interactive=False)
    drop_indexes()
    gc.freeze()
    gc.disable()


def drop_indexes() -> None:
    """Those that promise nothing: over a handful of rows SQLite takes longer to choose among them than to look."""
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            for index in model._meta.indexes:
                editor.remove_index(model, index)


def run_chunk(chunk: tuple[range, str]) -> tuple[int, str]:
    """How many seeds were run, and the story of the one that failed."""
    seeds, work = chunk
    gc.collect()
    return next(_run(seeds, work))


def _run(seeds: range, work: str) -> Iterator[tuple[int, str]]:
    with simulated_world() as world:
        for seed in seeds:
            try:
                run_seed(world, seed, work=work)
            except Failure as failure:
                yield seed - seeds[0], str(failure)
        yield len(seeds), ""
