"""Performs a run in a process of its own: the one thing that can be stopped at any point (docs/decisions/0084).

The child answers with one line of JSON, and leaves by itself when its worker is gone (its standard input ends).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

from django.conf import settings

from scheduler.claims import Run
from scheduler.errors import Retry, Stop, Wait
from scheduler.recurring.execution import TimedOut

LOOK_SECONDS = 0.2
CHECK_SECONDS = 2.0  # how often is asked whether the run was called off
GRACE_SECONDS = 5.0  # between asking the child to go and making it
NICENESS = 10  # a door that waits goes first: starting such a process takes a second or two of a core
ERRORS: dict[str, type[Exception]] = {"retry": Retry, "wait": Wait, "stop": Stop}


def perform(run: Run, seconds: float) -> None:
    """Raises TimedOut, Superseded when it is called off, or what the target raised as Retry, Wait or Stop."""
    words = [sys.executable, "-m", "scheduler.recurring.child", str(run.job_id), str(run.version)]
    told = supervise(words, seconds=seconds, check=run.check)
    try:
        answer = json.loads(told.strip().splitlines()[-1])
    except (IndexError, ValueError):
        raise Retry("The process of the run ended without an answer; the worker's log says more.") from None
    if answer["how"] != "done":
        raise ERRORS[answer["how"]](answer["error"])


def supervise(words: list[str], *, seconds: float, check: Callable[[], None]) -> str:
    """Run a command for at most so long; returns what it printed. ``check`` may raise, which ends it, too."""
    with subprocess.Popen(  # noqa: S603  our own interpreter
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR, env=_environment()
    ) as child:
        os.setpriority(os.PRIO_PROCESS, child.pid, NICENESS)
        try:
            _wait(child, seconds, check)
        except BaseException:
            _stop(child)
            raise
        assert child.stdout is not None
        return child.stdout.read()


def _wait(child: subprocess.Popen[str], seconds: float, check: Callable[[], None]) -> None:
    began = checked = time.monotonic()
    while True:
        try:
            child.wait(LOOK_SECONDS)
            return
        except subprocess.TimeoutExpired:
            now = time.monotonic()
        if now - began >= seconds:
            raise TimedOut(f"It took longer than its {seconds:g} seconds and was stopped.")
        if now - checked >= CHECK_SECONDS:
            checked = now
            check()


def _stop(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _environment() -> dict[str, str]:
    return {**os.environ, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE}
