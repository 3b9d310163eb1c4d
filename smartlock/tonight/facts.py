"""What is known of an arrival, in the terms of its chain of proofs. Times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Backup(StrEnum):
    """Whether the door holds a PIN for the day on which the guest's own does not work."""

    NOT_SET_UP = "not_set_up"
    ON_ITS_WAY = "on_its_way"
    READY = "ready"


class Telling(StrEnum):
    """How far the message is that the guest needs."""

    NOTHING_YET = "nothing_yet"  # no door has taken a PIN, so there is nothing to tell
    PLANNED = "planned"
    SENDING = "sending"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    DONE = "done"


@dataclass(frozen=True)
class DoorFacts:
    """One door of the unit and this stay's PIN on it. ``accepted`` and ``proven`` mean: with the times wanted now."""

    name: str
    chosen: bool = False
    accepted: bool = False
    proven: bool = False
    proven_at: datetime | None = None
    refused: bool = False
    unreadable: bool = False
    sleeps: bool = False
    is_offline: bool = False
    silent_since: datetime | None = None
    battery_percent: int | None = None
    battery_low: bool = False
    flat_at: datetime | None = None
    is_known: bool = True  # it has been heard of at all
    clock_fails: bool = False  # its clock seems wrong, so that it may not open in time
    clock_ahead: bool = False  # it seems wrong, and lets her in too early
    backup: Backup = Backup.NOT_SET_UP
    bridged_until: datetime | None = None  # the entry before this one opens until then: the lock changes no PIN
    replaced: bool = False  # the guest was given a backup PIN or an offline code to use here
    used_at: datetime | None = None
    wrong_pins: int = 0  # since check-in


@dataclass(frozen=True)
class JobFacts:
    """The jobs of one deed: ``next_at`` of the live one that comes first, ``error`` of what lies on the shelf, in
    the reader's words (``reasons``).
    """

    next_at: datetime | None = None
    has_failed: bool = False
    error: str = ""

    @property
    def is_stuck(self) -> bool:
        """It failed, and nothing goes on by itself."""
        return self.has_failed and self.next_at is None


@dataclass(frozen=True)
class ArrivalFacts:
    """One stay to come, or in house and not proven yet. ``due_at``: when its PIN is to be put on the first door.

    ``patience``: so long before check-in the guest is told, proven or not; what is missing then is urgent.
    """

    received_at: datetime
    check_in_at: datetime
    ends_at: datetime
    due_at: datetime
    doors: tuple[DoorFacts, ...] = ()
    door_jobs: JobFacts = JobFacts()
    telling: Telling = Telling.NOTHING_YET
    told_at: datetime | None = None
    telling_jobs: JobFacts = JobFacts()
    telling_error: str = ""
    patience: timedelta = timedelta(minutes=30)
    is_active: bool = True
    is_withdrawn: bool = False
    is_mapped: bool = True

    def is_urgent(self, now: datetime) -> bool:
        return now >= self.check_in_at - self.patience

    @property
    def used_at(self) -> datetime | None:
        return min((door.used_at for door in self.doors if door.used_at), default=None)
