"""The one place that owns the world: a lock around it, the clock, and the file it is kept in."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.delivery import settle
from sandbox.faults import Fault
from sandbox.settings import BadSetting
from sandbox.state import Door, LogLine, Message, OfflineCode, Order, Password, RecordState, Slot, World, first_world
from sandbox.stays_account import Account


class Store:
    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.clock = clock
        self.stands_at: float | None = None  # a test's time, which stands still until it is moved
        self.stopping = threading.Event()
        self._lock = threading.RLock()
        self._world = self._read() or first_world()

    @contextmanager
    def session(self, *, writes: bool = False) -> Iterator[tuple[World, float]]:
        """The world as of now, with every due delivery done; written to the file when anything changed."""
        with self._lock:
            now = self.clock() if self.stands_at is None else self.stands_at
            moved = self._settle(now)
            try:
                yield self._world, now
            finally:
                moved = self._settle(now) or moved
                if writes or moved:
                    self._write()

    def reset(self) -> None:
        with self._lock:
            self._world = first_world()
            self.stands_at = None
            self._write()

    def _settle(self, now: float) -> bool:
        # A list first: `any` alone would stop at the first door that moved.
        moved = [settle(door, now) for door in self._world.doors.values()]
        return any(moved)

    def _write(self) -> None:
        """Written beside and moved into place: a crash leaves the old file or the new one, never half of one."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.new")
        # It holds what the doors hold, PINs included: for the owner's eyes only.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self._world), file)
        fresh.replace(self.path)

    def _read(self) -> World | None:
        if self.path is None or not self.path.exists():
            return None
        try:
            return world_from_json(json.loads(self.path.read_text()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            problem = f"SANDBOX_STATE: {self.path} cannot be understood ({type(error).__name__})"
            raise BadSetting(f"{problem}; remove it to start with fresh doors.") from None


def world_from_json(data: dict[str, Any]) -> World:
    return World(
        doors={key: _door(value) for key, value in data["doors"].items()},
        account=Account.from_json(data["account"]),
        messages=[Message(**value) for value in data["messages"]],
        cloud_faults=_faults(data["cloud_faults"]),
        next_number=data["next_number"],
    )


def _door(data: dict[str, Any]) -> Door:
    made = {
        "records": _records(data["records"]),
        "before_change": _records(data["before_change"]),
        "slots": {int(key): Slot(**value) for key, value in data["slots"].items()},
        "offline_codes": [OfflineCode(**value) for value in data["offline_codes"]],
        "opens": [LogLine(**value) for value in data["opens"]],
        "alarms": [LogLine(**value) for value in data["alarms"]],
        "faults": _faults(data["faults"]),
    }
    return Door(**{**data, **made})


def _records(data: dict[str, Any]) -> dict[int, Password]:
    return {int(key): _record(value) for key, value in data.items()}


def _record(data: dict[str, Any]) -> Password:
    return Password(**{**data, "state": RecordState(data["state"]), "order": Order(data["order"])})


def _faults(data: dict[str, Any]) -> dict[str, Fault]:
    return {name: Fault(**value) for name, value in data.items()}
