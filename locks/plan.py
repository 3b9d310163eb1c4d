"""What a guest, somebody of the staff or a lock's backup is entitled to, as jobs. Pure: facts in, wanted jobs out; the
same facts always give the same plan.

The table of docs/the-plan.md, line by line: confirmed → a PIN on each lock, one lead before check-in, off at check-out;
not confirmed, over or inactive → nothing, and what exists is removed; other dates → the same digits, a new window;
another unit → off the old locks, on to the new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from locks.provider import Window

GENERATE = "locks.generate_pin"
CHANGE = "locks.change_window"
REVOKE = "locks.revoke_pin"
LOOK = "locks.fallback"  # whether the guest needs another way in: locks.fallback
KINDS = (GENERATE, CHANGE, REVOKE, LOOK)


@dataclass(frozen=True)
class CredentialFacts:
    """A credential that is not proven gone. ``asked`` is the window last sent to the lock, None when nothing was."""

    lock_id: int
    wanted: bool
    asked: Window | None
    is_proven: bool
    wish: Window
    bridges: bool = False  # not wanted any longer, and kept until the one after it is proven


@dataclass(frozen=True)
class HolderFacts:
    """All that the plan depends on. ``is_welcome``: nobody has ended the right. ``locks`` maps doors to lead times."""

    is_welcome: bool
    starts_at: datetime
    ends_at: datetime
    locks: dict[int, timedelta]
    credentials: tuple[CredentialFacts, ...] = ()


@dataclass(frozen=True)
class WantedJob:
    """``due_at`` None means as soon as possible: a job that is already due satisfies it, whenever it was due."""

    kind: str
    lock_id: int
    due_at: datetime | None
    expires_at: datetime | None = None


class Right(Protocol):
    """By what right, and until when."""

    @property
    def is_welcome(self) -> bool: ...
    @property
    def ends_at(self) -> datetime: ...


def is_entitled(holder: Right, now: datetime) -> bool:
    """Whether somebody has, or will have, a right to be let in."""
    return holder.is_welcome and now < holder.ends_at


def ran_its_course(holder: Right, now: datetime) -> bool:
    """Whether it is over because its time has come, not because somebody ended it."""
    return holder.is_welcome and now >= holder.ends_at


def plan(holder: HolderFacts, now: datetime) -> list[WantedJob]:
    """The jobs that should be live for this holder at ``now``: at most one of each kind and lock."""
    jobs = [job for lock_id in holder.locks for job in _for_lock(holder, lock_id)] if is_entitled(holder, now) else []
    covered = {job.lock_id for job in jobs if job.kind == REVOKE}
    for credential in holder.credentials:
        if credential.lock_id in covered and credential.wanted:
            continue
        jobs = [job for job in jobs if (job.kind, job.lock_id) != (REVOKE, credential.lock_id)]
        jobs.append(WantedJob(REVOKE, credential.lock_id, _removal_due(holder, credential, now)))
    return list(dict.fromkeys(jobs))


def _for_lock(holder: HolderFacts, lock_id: int) -> list[WantedJob]:
    jobs = [WantedJob(REVOKE, lock_id, holder.ends_at)]
    credential = next((c for c in holder.credentials if c.lock_id == lock_id and c.wanted), None)
    if credential is not None and credential.asked is not None and credential.asked != credential.wish:
        jobs.append(WantedJob(CHANGE, lock_id, None, expires_at=holder.ends_at))
    elif credential is None or not credential.is_proven:
        # What was sent is to be proven, even if its time was put off since: the lock may still go by the old one.
        due_at = None if credential is not None and credential.asked else holder.starts_at - holder.locks[lock_id]
        jobs.append(WantedJob(GENERATE, lock_id, due_at, expires_at=holder.ends_at))
    return jobs


def _removal_due(holder: HolderFacts, credential: CredentialFacts, now: datetime) -> datetime | None:
    """At the end for a stay that simply ran its course; at once for what should not be there."""
    if is_bridge(holder, credential, now):
        return min(holder.ends_at, credential.wish.ends_at)
    return holder.ends_at if credential.wanted and ran_its_course(holder, now) else None


def is_bridge(holder: HolderFacts, credential: CredentialFacts, now: datetime) -> bool:
    """Whether it must stay for now: it is the only one that opens until the one after it is proven on that lock."""
    after = (c for c in holder.credentials if c.wanted and c.lock_id == credential.lock_id)
    waiting = credential.lock_id in holder.locks and not any(c.is_proven and c.asked == c.wish for c in after)
    return credential.bridges and is_entitled(holder, now) and now < credential.wish.ends_at and waiting
