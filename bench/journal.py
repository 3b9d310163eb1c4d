"""Who ran when: every worker, in whatever language, appends one line of fixed width per execution to one file.

    <number, 10 digits> <microseconds since 1970, 17 digits>\\n

One ``write`` to a file opened for appending costs every contender the same two microseconds or so.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

WIDTH = 29
_descriptor = -1


def note(number: int) -> None:
    """Called by our workers at the start of a job; the file is named by BENCH_JOURNAL."""
    global _descriptor
    moment = time.time()
    if _descriptor < 0:
        _descriptor = os.open(os.environ["BENCH_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(_descriptor, b"%010d %017d\n" % (number, int(moment * 1_000_000)))


@dataclass(frozen=True)
class Plan:
    """``count`` jobs; job n is due at ``first + n * spread / count`` (seconds since 1970)."""

    count: int
    first: float
    spread: float

    def due(self, number: int) -> float:
        return self.first + number * self.spread / self.count

    @property
    def arguments(self) -> list[str]:
        return [str(self.count), repr(self.first), repr(self.spread)]

    @classmethod
    def of(cls, arguments: list[str]) -> Plan:
        return cls(int(arguments[0]), float(arguments[1]), float(arguments[2]))


class Journal:
    """The file as the measuring side reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")

    def __len__(self) -> int:
        return self.path.stat().st_size // WIDTH

    def starts(self) -> list[tuple[int, float]]:
        """(number, start in seconds since 1970), in the order of writing."""
        lines = self.path.read_text().splitlines()
        return [(int(number), int(moment) / 1_000_000) for number, moment in (line.split() for line in lines)]

    def wait_for(self, count: int, until: float) -> bool:
        """Until ``count`` executions are noted or the moment ``until`` (seconds since 1970) has come."""
        while len(self) < count:
            if time.time() > until:
                return False
            time.sleep(0.1)
        return True
