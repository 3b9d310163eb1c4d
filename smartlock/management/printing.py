"""How commands speak: aligned tables for people, JSON for scripts, colours on a terminal only.

Exit codes of all commands: 0 done, 1 not found or nothing to do, 2 wrong usage or configuration. A command that
means something else by them says so in its help.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from reservations import services
from reservations.models import Reservation
from scheduler.models import Job

STYLES = {
    "scheduled": "NOTICE", "running": "WARNING", "succeeded": "SUCCESS", "failed": "ERROR", "cancelled": "HTTP_INFO",
    "healthy": "SUCCESS", "paused": "WARNING", "degraded": "WARNING", "unhealthy": "ERROR",
    "missing": "ERROR", "unwanted": "ERROR", "foreign": "WARNING",
}  # fmt: skip
PIPE_CLOSED = 141  # what a shell shows for a program that SIGPIPE ended


class OperatorCommand(BaseCommand):
    """A command for operators and scripts."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """The answer is what was asked for: log lines below a warning are kept back (``-v 2`` shows them)."""
        root, before = logging.getLogger(), logging.getLogger().level
        if options.get("verbosity", 1) < 2:
            root.setLevel(logging.WARNING)
        try:
            with _reader_may_leave(real=options.get("stdout") is None):
                return super().execute(*args, **options)
        finally:
            root.setLevel(before)

    def add_json(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")

    def say(self, text: str = "") -> None:
        self.stdout.write(text)

    def print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def print_table(self, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """The last column is cut to the terminal's width; in a pipe nothing is cut."""
        on_terminal = self.stdout.isatty()
        cells = [[_line(cell) for cell in row] for row in rows]
        widths = [max(len(line[i]) for line in [list(headers), *cells]) for i in range(len(headers))]
        room = shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * (len(widths) - 1) if on_terminal else 0
        self.say("  ".join(name.upper().ljust(width) for name, width in zip(headers, widths, strict=True)).rstrip())
        for line in cells:
            if on_terminal and len(line[-1]) > max(room, 20):
                line[-1] = line[-1][: max(room, 20) - 1] + "…"
            padded = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
            self.say("  ".join(self._painted(cell) if on_terminal else cell for cell in padded).rstrip())

    def show_progress(self, done: int, total: int, text: str = "") -> None:
        """One line that grows on a terminal, and is gone in the end; nothing in a pipe."""
        if not self.stderr.isatty():
            return
        width = shutil.get_terminal_size().columns
        line = f"{_bar(done, total)} {done} of {total}  {text}" if done < total else ""
        self.stderr.write("\r" + line[: width - 1].ljust(width - 1) + ("" if line else "\r"), lambda x: x, ending="")
        self.stderr.flush()

    def _painted(self, cell: str) -> str:
        style = STYLES.get(cell.strip())
        return str(getattr(self.style, style)(cell)) if style else cell


@contextmanager
def _reader_may_leave(*, real: bool) -> Iterator[None]:
    """``list_jobs | head``: a reader that has seen enough ends the command quietly, as it ends any Unix tool."""
    try:
        try:
            yield
        finally:
            if real:
                sys.stdout.flush()
    except BrokenPipeError:
        if real:  # what is left in the buffer goes nowhere, or the interpreter would complain at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(PIPE_CLOSED) from None


def reservation(reference: str) -> Reservation:
    """The stay a person means. Raises CommandError (exit code 1) when there is none."""
    found = services.lookup(reference)
    if found is None:
        raise CommandError(
            f"No reservation is known as {reference!r}: give Stays' _id, its short id, the partner code or our number.",
            returncode=1,
        )
    return found


def several(count: int, noun: str) -> str:
    """``1 job``, ``2 jobs``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def moment(at: datetime | None, now: datetime, zone: tzinfo | None = None) -> str:
    """``Thu 2026-03-05 14:00 (in 2 h)`` by the clock of ``zone``."""
    if at is None:
        return "-"
    local = timezone.localtime(at, zone)
    return f"{local:%a %Y-%m-%d %H:%M:%S} ({distance(at, now)})"


def distance(at: datetime, now: datetime) -> str:
    seconds = round((at - now).total_seconds())
    amount = _amount(abs(seconds))
    return "now" if seconds == 0 else f"in {amount}" if seconds > 0 else f"{amount} ago"


def tries(job: Job) -> str:
    """``1/3``; a job that is tried until its time is over has no number to be out of."""
    return f"{job.attempt}/{job.max_attempts}" if job.max_attempts < 100 else str(job.attempt)


def _amount(seconds: int) -> str:
    for size, unit in ((172_800, "d"), (5_400, "h"), (90, "min")):
        if seconds >= size:
            return f"{round(seconds / {'d': 86_400, 'h': 3_600, 'min': 60}[unit])} {unit}"
    return f"{seconds} s"


def _bar(done: int, total: int, width: int = 24) -> str:
    filled = width * done // max(total, 1)
    return f"[{'#' * filled}{'.' * (width - filled)}] {100 * done // max(total, 1):3d} %"


def _line(cell: object) -> str:
    return " ".join(str(cell).split())
