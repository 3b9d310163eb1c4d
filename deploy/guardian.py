"""The watch over child processes: none outlives the process that started it, not even after `kill -9`.

A `Guardian` starts each child in a session of its own and notes its process group with a second tiny process, which
reads a pipe. When the starting process dies in whatever way, the kernel closes the pipe, and the second process ends
every group that is still noted. A parent-death signal would reach the child only, never the workers it has forked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any, Self

SECONDS_TO_END = 3.0


class Guardian:
    """Starts processes that end with this one. `keep_open` are descriptors (a lock) it holds until all have ended."""

    def __init__(self, keep_open: Iterable[int] = ()) -> None:
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=tuple(keep_open),
        )
        assert self._watcher.stdin is not None
        self._pipe: IO[bytes] = self._watcher.stdin

    def spawn(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a command at the head of its own session and process group."""
        pipe = self._pipe.fileno()

        def note_myself() -> None:
            # The child itself reports, before it becomes the command: no moment is left in which it is unknown.
            os.write(pipe, b"+%d\n" % os.getpid())

        # Unsafe with threads in general; one write to a descriptor is not.
        return subprocess.Popen(command, env=env, start_new_session=True, preexec_fn=note_myself, **options)

    def forget(self, process: subprocess.Popen[bytes]) -> None:
        """The process has ended and was waited for: end what is left of its group, and drop it from the watch."""
        kill_group(process.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.write(self._pipe.fileno(), b"-%d\n" % process.pid)

    def close(self) -> None:
        """End the watch, and whatever has not been forgotten with it."""
        with contextlib.suppress(OSError):
            self._pipe.close()
        self._watcher.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def end(process: subprocess.Popen[bytes], grace: float, sign: signal.Signals = signal.SIGTERM) -> None:
    """Ask a child to stop, wait a bounded time, then insist."""
    kill_group(process.pid, sign)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        kill_group(process.pid, signal.SIGKILL)
        process.wait()


def kill_group(group: int, sign: int) -> bool:
    """Signal a whole process group; False when nothing of it is left."""
    try:
        os.killpg(group, sign)
    except ProcessLookupError:
        return False
    except PermissionError:  # macOS says so of a group of zombies
        return False
    return True


def _watch() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        change = groups.add if line.startswith(b"+") else groups.discard
        change(int(line[1:]))
    _end_all(groups)


def _end_all(groups: set[int]) -> None:
    alive = {group for group in groups if kill_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + SECONDS_TO_END
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = {group for group in alive if kill_group(group, 0)}
    for group in alive:
        kill_group(group, signal.SIGKILL)


if __name__ == "__main__":
    _watch()
