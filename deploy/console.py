"""What the children say: shown with their name in front, and kept in var/log/NAME.log."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

COLOURS = (36, 33, 32, 35, 34, 31, 96, 93)
LOG_BYTES = 20_000_000
# A pipe that `select` calls writable takes at least this much without blocking.
PIECE = 4096


class Console:
    """Lines of many processes on one terminal. `on_hangup` is called once when nobody reads any more."""

    def __init__(self, log_directory: Path, on_hangup: Callable[[], None] = lambda: None) -> None:
        self._logs: dict[str, _Log] = {}
        self._log_directory = log_directory
        self._on_hangup = on_hangup
        self._open = True
        self._missed = 0
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        log_directory.mkdir(parents=True, exist_ok=True)

    def begin(self, name: str) -> None:
        """A child starts: it has a log from now on, even if it never says a word."""
        if name not in self._logs:
            self._logs[name] = _Log(self._log_directory / f"{name}.log")

    def line(self, name: str, line: bytes) -> None:
        """One line of a child."""
        self._logs[name].write(line + b"\n")
        self._show(self._prefix(name) + line[: PIECE - 100] + b"\n", patience=0)

    def say(self, sentence: str) -> None:
        """A sentence of the supervisor itself."""
        self._show(f"{sentence}\n".encode(), patience=1)

    def close(self) -> None:
        for log in self._logs.values():
            log.close()

    def _prefix(self, name: str) -> bytes:
        label = f"{name:<8}| "
        if not self._coloured:
            return label.encode()
        names = list(self._logs)
        return f"\033[{COLOURS[names.index(name) % len(COLOURS)]}m{label}\033[0m".encode()

    def _show(self, text: bytes, patience: float) -> None:
        """Write, but never wait for a reader that has stopped reading: the children would stop with it."""
        if not self._open:
            return
        if self._missed and self._write(b"... %d lines not shown here; see the logs\n" % self._missed, 0):
            self._missed = 0
        for start in range(0, len(text), PIECE):
            if not self._write(text[start : start + PIECE], patience):
                self._missed += 1
                return

    def _write(self, text: bytes, patience: float) -> bool:
        try:
            descriptor = sys.stdout.fileno()
            if not select.select([], [descriptor], [], patience)[1]:
                return False
            os.write(descriptor, text)
        except (OSError, ValueError):  # the terminal or the reader at the other end of the pipe is gone
            if self._open:
                self._open = False
                self._on_hangup()
            return False
        return True


class _Log:
    """A log file that starts anew with each run and when it grows too long; the one before is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._begin()
        self._size = 0

    def write(self, line: bytes) -> None:
        if self._size > LOG_BYTES:
            self.close()
            self._file, self._size = self._begin(), 0
        self._size += len(line)
        with contextlib.suppress(OSError):  # a full disk must not take the processes down
            self._file.write(line)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()

    def _begin(self) -> BinaryIO:
        if self._path.exists():
            self._path.replace(self._path.with_suffix(".log.1"))
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        return os.fdopen(descriptor, "wb", buffering=0)
