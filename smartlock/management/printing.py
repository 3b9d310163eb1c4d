"""How commands speak: tables and colours on a terminal, plain columns in a pipe, JSON for scripts.

Exit codes of all commands: 0 ok, 1 found trouble (or nothing to do), 2 bad use or configuration. A command that means
something else by them says so in its help. docs/commands.md has them all.

On a terminal ``rich`` draws: a table fits the width, folding its last column, and a bar shows long work on standard
error. Without one (or with NO_COLOR, TERM=dumb, --no-color) there are no colours, and in a pipe nothing is cut.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, tzinfo
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from reservations import services
from reservations.models import Reservation
from scheduler.models import Job
from smartlock.management.arguments import empty, unreadable

# What is well, needs a look, or is wrong: the same colours in every command.
STYLES = {
    "scheduled": "cyan", "running": "yellow", "succeeded": "green", "failed": "bold red", "cancelled": "dim",
    "retry": "yellow", "waiting": "yellow", "lost": "red", "started": "yellow",
    "healthy": "green", "paused": "yellow", "degraded": "yellow", "unhealthy": "bold red",
    "missing": "red", "unwanted": "red", "changed": "yellow", "foreign": "yellow", "agrees": "green",
    "received": "cyan", "processed": "green", "ignored": "dim", "parked": "yellow",
}  # fmt: skip
PIPE_CLOSED = 141  # what a shell shows for a program that SIGPIPE ended
NARROWEST = 40  # below this a table is told line by line


class OperatorCommand(BaseCommand):
    """A command for operators and scripts."""

    _bar: Progress | None = None

    def run_from_argv(self, argv: list[str]) -> None:
        """As a shell calls it. Bytes that are no text name nothing we have, and no database would take them."""
        if word := unreadable(argv):
            self.stderr.write(f"{word!r} is not text in UTF-8: write it anew.")
            raise SystemExit(2)
        super().run_from_argv(argv)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        self._parser = super().create_parser(prog_name, subcommand, **kwargs)
        return self._parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        """The answer is what was asked for: log lines below a warning are kept back (``-v 2`` shows them)."""
        if name := empty(self._parser, options):
            raise CommandError(f"{name} is empty: say what is meant, or leave it out.", returncode=2)
        root, before = logging.getLogger(), logging.getLogger().level
        if options.get("verbosity", 1) < 2:
            root.setLevel(logging.WARNING)
        self._colourless = bool(options.get("no_color"))
        try:
            with _reader_may_leave(real=options.get("stdout") is None):
                return super().execute(*args, **options)
        finally:
            self._end_progress()
            root.setLevel(before)

    def add_json(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")

    def say(self, text: str = "") -> None:
        """A line of the answer, as it is."""
        self.stdout.write(text)

    def say_state(self, text: str, state: str) -> None:
        """A line of the answer, in the colour of a state."""
        self._console(self.stdout).print(Text(text, style=STYLES.get(state, "")), soft_wrap=True)

    def hint(self, text: str) -> None:
        """Something for the person beside the answer; scripts that read the answer do not see it."""
        self._console(self.stderr).print(Text(text, style="dim"), soft_wrap=True)

    def print_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def print_table(self, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """On a terminal a table that fits; in a pipe aligned columns, two spaces apart, nothing cut."""
        cells = [[_line(cell) for cell in row] for row in rows]
        if not self.stdout.isatty():
            for line in _aligned([[name.upper() for name in headers], *cells]):
                self.say(line)
            return
        console = self._console(self.stdout)
        console.print(_listed(headers, cells) if console.width < NARROWEST else _table(headers, cells, console.width))

    def show_progress(self, done: int, total: int, text: str = "") -> None:
        """A bar that grows on a terminal, with what is being done, and is gone in the end; nothing in a pipe."""
        if not self.stderr.isatty():
            return
        if done >= total:
            self._end_progress()
            return
        if self._bar is None:
            self._bar = Progress(
                BarColumn(bar_width=24), TaskProgressColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True),
                TextColumn("{task.description}"), console=self._console(self.stderr), transient=True,
            )  # fmt: skip
            self._bar.add_task("", total=total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=total, description=escape(text))

    def _end_progress(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _console(self, stream: Any) -> Console:
        """Rich reads NO_COLOR and TERM itself; what is no terminal gets neither colour nor a width to keep to."""
        file: TextIO = getattr(stream, "_out", stream)
        return Console(file=file, force_terminal=stream.isatty(), no_color=self._colourless or None, highlight=False)


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", expand=False)
    for name in headers[:-1]:
        table.add_column(name.upper(), no_wrap=width >= 100, overflow="fold")
    table.add_column(headers[-1].upper(), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    return table


def _listed(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Text:
    """For a terminal as narrow as a phone: one fact a line, a blank line between rows."""
    text = Text()
    for row in rows:
        for name, cell in zip(headers, row, strict=True):
            text.append(f"{name.upper()} ", style="bold")
            text.append(f"{cell}\n", style=STYLES.get(cell, ""))
        text.append("\n")
    return text


def _aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


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


def _line(cell: object) -> str:
    return " ".join(str(cell).split())
