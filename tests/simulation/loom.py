"""Tasks that a seed weaves together: each runs until it pauses, and only the loom decides who goes on.

A task pauses before every statement outside a transaction, around every effect and before every word to Redis or the
broker. A host is a process: when it is killed, all its tasks die where they stand and no handler of theirs gets a
word to the outside any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import greenlet  # type: ignore[import-untyped]


class Killed(BaseException):
    """`kill -9`: no handler of the product runs, or at least none reaches anything."""


@dataclass(eq=False)
class Host:
    """One process of the system. ``outbox`` is what its announcer has not yet told the broker."""

    name: str
    is_dead: bool = False
    outbox: list[Any] = field(default_factory=list)


@dataclass(eq=False)
class Task:
    """A thread of a host. ``until`` says when it may go on."""

    name: str
    host: Host
    function: Callable[[], Any]
    until: Callable[[], bool] | None = None
    where: str = "start"
    is_done: bool = False
    result: Any = None
    error: BaseException | None = None
    greenlet: Any = None

    def is_ready(self) -> bool:
        return self.until is None or self.until()


class Loom:
    """All tasks, and the one that runs."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.current: Task | None = None
        self._hub: Any = None

    def clear(self) -> None:
        for host in {id(task.host): task.host for task in self.tasks}.values():
            self.kill(host)
        self.tasks = []

    def spawn(self, name: str, host: Host, function: Callable[[], Any]) -> Task:
        task = Task(name, host, function)
        task.greenlet = greenlet(lambda: self._run(task))
        self.tasks.append(task)
        return task

    def ready(self) -> list[Task]:
        return [task for task in self.tasks if task.is_ready()]

    def resume(self, task: Task) -> None:
        """Let it run to its next pause, or to its end."""
        self._switch(task)
        if task.host.is_dead:
            self.kill(task.host)

    def kill(self, host: Host) -> None:
        """Every task of the host ends where it stands."""
        host.is_dead = True
        host.outbox.clear()
        for task in [task for task in self.tasks if task.host is host]:
            if not task.is_done:
                self._switch(task)

    def pause(self, where: str, until: Callable[[], bool] | None = None) -> None:
        """Called from within a task: others may go first. Does nothing outside of one."""
        task = self.current
        if task is None:
            return
        if task.host.is_dead:
            raise Killed
        task.where, task.until = where, until
        self.current = None
        self._hub.switch()
        self.current, task.until = task, None
        if task.host.is_dead:
            raise Killed

    def _switch(self, task: Task) -> None:
        before, self._hub, self.current = self._hub, greenlet.getcurrent(), task
        try:
            task.greenlet.switch()
        finally:
            self._hub, self.current = before, None
        if task.is_done and task in self.tasks:
            self.tasks.remove(task)

    def _run(self, task: Task) -> None:
        try:
            if not task.host.is_dead:
                task.result = task.function()
        except Killed:
            pass
        except BaseException as error:
            task.error = error
        task.is_done = True
