"""Keeps the processes of `make run` alive, in order, and ends them in the reverse order.

One thread and one loop: it carries the children's output, notices deaths, and starts again what died. A child that
never got going takes the rest down: something is wrong that waiting does not mend. One that ran before, or answered
once, is started until it runs again: what it misses, such as its database, will come back, and the others are needed
meanwhile.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.console import Console
from deploy.guardian import Guardian, kill_group

STEADY_SECONDS = 10.0  # a child that lives so long can start
STARTS_ALLOWED = 5  # for one that never did
FIRST_PAUSE = 1.0  # then twice as long each time
LONGEST_PAUSE = 16.0
TURN_SECONDS = 0.1


class GaveUp(Exception):
    """A child would not stay alive, or a step of the start failed; the message is for a person."""


@dataclass(frozen=True)
class Program:
    """A process to keep running. Without a way to see that it answers, it has to be alive."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[Child], bool] | None = None
    grace: float = 5.0  # seconds between asking it to stop and killing it


@dataclass
class Child:
    """A program, and the process that runs it at the moment."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    restart_at: float | None = None
    early_deaths: int = 0  # in a row
    has_run: bool = False  # was steady once, or answered
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    unfinished: bytes = b""

    @property
    def is_alive(self) -> bool:
        return self.process is not None

    def has_said(self, words: str) -> bool:
        return any(words in line for line in self.last_lines)


class Supervisor:
    def __init__(self, console: Console, guardian: Guardian) -> None:
        self._console = console
        self._guardian = guardian
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._stop_asked_at: float | None = None
        self._hurry = False
        # Under `make`, whose death nobody else would tell us; started by hand, our parent may well go before us.
        self._parent = os.getppid() if "MAKELEVEL" in os.environ else None

    # --- what the caller does -----------------------------------------------------------------------------------------

    def ask_to_stop(self, sign: int = signal.SIGTERM, _: object = None) -> None:
        """Fit to be a signal handler. A second Ctrl-C, some time after the first call, means: at once."""
        now = time.monotonic()
        if self._stop_asked_at is None:
            self._stop_asked_at = now
        elif sign == signal.SIGINT and now - self._stop_asked_at > 1:  # `make` may double the first one
            self._hurry = True

    @property
    def is_stopping(self) -> bool:
        return self._stop_asked_at is not None

    def start(self, *programs: Program) -> None:
        for program in programs:
            child = Child(program)
            self._children.append(child)
            self._spawn(child)

    def run_once(self, program: Program) -> None:
        """Run a step of the start to its end; raises GaveUp when it fails."""
        child = Child(program)
        self._spawn(child)
        assert child.process is not None
        process = child.process
        while process.poll() is None and not self.is_stopping:
            self._turn()
        self._end(child, grace=program.grace)
        if process.returncode != 0 and not self.is_stopping:
            raise GaveUp(f"{program.name} failed with {_ending(process.returncode)}; its words are above.")

    def wait_until_ready(self, seconds: float) -> list[str]:
        """Run until every child answers, a stop is asked for or the time is up; returns the names of the silent."""
        deadline = time.monotonic() + seconds
        silent = list(self._children)
        while silent and not self.is_stopping and time.monotonic() < deadline:
            self._turn()
            silent = [child for child in silent if not self._answers(child)]
        return [child.program.name for child in silent]

    def run(self) -> None:
        """Run until a stop is asked for; raises GaveUp when a child does not stay alive."""
        while not self.is_stopping:
            self._turn()

    def stop(self) -> None:
        """End the children, last started first. What the quick ones leave of their grace is the next one's."""
        self.ask_to_stop()
        deadline = time.monotonic() + sum(child.program.grace for child in self._children)
        while self._children:
            child = self._children.pop()
            reserved = sum(later.program.grace for later in self._children)
            self._end(child, grace=deadline - reserved - time.monotonic())
        self._selector.close()

    @staticmethod
    def _answers(child: Child) -> bool:
        """One that has answered can start, however soon it dies afterwards; being alive alone does not say so."""
        is_ready = child.program.is_ready
        if not child.is_alive or (is_ready is not None and not is_ready(child)):
            return False
        child.has_run = child.has_run or is_ready is not None
        return True

    # --- one turn of the loop -----------------------------------------------------------------------------------------

    def _turn(self) -> None:
        for key, _ in self._selector.select(TURN_SECONDS):
            self._read(key.data)
        if self._parent is not None and os.getppid() != self._parent:
            self.ask_to_stop()
        if self.is_stopping:
            return
        for child in self._children:
            if child.process is not None and child.process.poll() is not None:
                self._bury(child)
            elif child.restart_at is not None and time.monotonic() >= child.restart_at:
                self._spawn(child)

    def _spawn(self, child: Child) -> None:
        child.started_at, child.restart_at = time.monotonic(), None
        child.last_lines.clear()
        self._console.begin(child.program.name)
        child.process = self._guardian.spawn(
            child.program.command,
            env=child.program.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _read(self, child: Child) -> bool:
        """Pass on what the child has written; False when there is nothing (more)."""
        if child.process is None or child.process.stdout is None or child.process.stdout.closed:
            return False
        try:
            data = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._close_output(child)
            return False
        *lines, child.unfinished = (child.unfinished + data).split(b"\n")
        for line in lines:
            self._pass_on(child, line)
        if len(child.unfinished) > 65536:
            self._pass_on(child, child.unfinished)
            child.unfinished = b""
        return True

    def _pass_on(self, child: Child, line: bytes) -> None:
        child.last_lines.append(line.decode(errors="replace"))
        self._console.line(child.program.name, line)

    def _close_output(self, child: Child) -> None:
        assert child.process is not None
        if child.unfinished:
            self._pass_on(child, child.unfinished)
            child.unfinished = b""
        output = child.process.stdout
        if output is not None and not output.closed:
            self._selector.unregister(output)
            output.close()

    # --- deaths -------------------------------------------------------------------------------------------------------

    def _bury(self, child: Child) -> None:
        """A child died by itself: say so, and start it again a little later each time."""
        assert child.process is not None
        returncode = child.process.returncode
        self._release(child)
        story = f"{child.program.name} ended with {_ending(returncode)}. Its last lines:\n{_tail(child)}"
        pause = self._pause_after_death(child, story)
        child.restart_at = time.monotonic() + pause
        self._console.say(f"{story}\nStarting {child.program.name} again in {pause:g} s.")

    def _pause_after_death(self, child: Child, story: str) -> float:
        """Raises GaveUp for a child that has never run and was started often enough."""
        if time.monotonic() - child.started_at >= STEADY_SECONDS:
            child.has_run, child.early_deaths = True, 0
        child.early_deaths += 1
        if child.early_deaths >= STARTS_ALLOWED and not child.has_run:
            raise GaveUp(
                f"{story}\n{child.program.name} does not start: it ended {STARTS_ALLOWED} times, "
                f"each time within {STEADY_SECONDS:g} s; giving up."
            )
        return min(FIRST_PAUSE * 2.0 ** (child.early_deaths - 1), LONGEST_PAUSE)

    def _end(self, child: Child, grace: float) -> None:
        """Ask the child to stop and carry its last words; kill it when it is slow, or at a second Ctrl-C."""
        process = child.process
        if process is None:
            return
        if process.poll() is None:
            kill_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while process.poll() is None and time.monotonic() < deadline and not self._hurry:
            self._turn()
        if process.poll() is None:
            self._console.say(f"{child.program.name} did not stop in time and is killed.")
            kill_group(process.pid, signal.SIGKILL)
            process.wait()
        self._release(child)

    def _release(self, child: Child) -> None:
        """The process is over: end what it left of its group, and take in what it still said."""
        assert child.process is not None
        self._guardian.forget(child.process)
        while self._read(child):
            pass
        self._close_output(child)
        child.process = None


@contextlib.contextmanager
def stopping_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """Ctrl-C, a polite kill and a closed terminal all mean: stop in order."""
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {sign: signal.signal(sign, supervisor.ask_to_stop) for sign in signals}
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-returncode).name}"
    return f"signal {-returncode}"


def _tail(child: Child, lines: int = 12) -> str:
    tail = list(child.last_lines)[-lines:]
    return "\n".join(f"    {line}" for line in tail) or "    (it said nothing)"
