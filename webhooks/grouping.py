"""One commit for all who wait: of the threads that call at the same time, one writes for the others.

A commit costs the same for one row as for sixteen. Nobody waits for company: who comes alone writes at once, and those
who come meanwhile are written together by the first of them. No thread of its own, no timer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Write = Callable[[list[Item]], list["Outcome | Exception"]]


class _Turn(Generic[Item, Outcome]):
    __slots__ = ("item", "outcome", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.outcome: Outcome | Exception | None = None
        self.woken = threading.Lock()  # released when the outcome is there, or it is this one's turn to write
        self.woken.acquire()


class Group(Generic[Item, Outcome]):
    """``write`` takes some items and gives an outcome, or an exception, for each; it may raise for all of them."""

    def __init__(self, write: Callable[[list[Item]], list[Outcome | Exception]], *, most: int) -> None:
        self._write = write
        self._most = most
        self._waiting: deque[_Turn[Item, Outcome]] = deque()
        self._mutex = threading.Lock()
        self._someone_writes = False

    def put(self, item: Item) -> Outcome:
        """Returns or raises what became of this item, after the write that contained it."""
        turn: _Turn[Item, Outcome] = _Turn(item)
        with self._mutex:
            self._waiting.append(turn)
            must_wait, self._someone_writes = self._someone_writes, True
        if must_wait:
            turn.woken.acquire()
        if turn.outcome is None:
            self._write_for_all()
        if isinstance(turn.outcome, Exception):
            raise turn.outcome
        assert turn.outcome is not None
        return turn.outcome

    def _write_for_all(self) -> None:
        """The caller is the first of those who wait."""
        with self._mutex:
            turns = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        outcomes: list[Outcome | Exception] = [RuntimeError("the writer was stopped")] * len(turns)
        try:
            outcomes = self._write([turn.item for turn in turns])
        except Exception as error:
            outcomes = [error] * len(turns)
        finally:
            self._hand_over()
            for turn, outcome in zip(turns, outcomes, strict=True):
                turn.outcome = outcome
                turn.woken.release()

    def _hand_over(self) -> None:
        """The next write begins while this one's callers are answered."""
        with self._mutex:
            self._someone_writes = bool(self._waiting)
            if self._waiting:
                self._waiting[0].woken.release()
