"""Compares what should be on a lock with what the lock itself lists, and plans the mending.

``compare`` is pure. Missing and unwanted PINs are put right by the ordinary jobs: the belief that proved wrong is
corrected, then the holder is planned again. What a person changed on the lock (times, name, or that it opens at all) is
reported, and put right the same way when somebody says so. A PIN that is not ours (the owner's own, say) is reported
and never touched, unless somebody names it. The last report of each lock is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from locks.doors import provider_for
from locks.errors import DoorError
from locks.models import Credential, Lock, LockReport
from locks.planning import replan_subject
from locks.proof import times_apart
from locks.provider import LockProvider, PinReading, PinState, Window
from locks.store import note
from smartlock.audit.services import record

State = Credential.State
REMEMBERED = timedelta(days=200)  # removal is tried for 180 days: an older row cannot be what the lock still lists


@dataclass(frozen=True)
class Ours:
    """A credential in the terms of the comparison. ``is_due``: by our records it should be on the lock now.

    ``asked`` is the window the lock was last sent, at ``asked_at``.
    """

    credential_id: int
    subject: str
    name: str
    ref: str
    is_due: bool
    is_wanted: bool
    asked: Window | None = None
    asked_at: datetime | None = None

    def matches(self, reading: PinReading) -> bool:
        return reading.name == self.name or bool(self.ref and reading.ref == self.ref)

    def changes(self, reading: PinReading) -> tuple[str, ...]:
        """What is not as we asked for it: ``state`` (frozen), ``name``, ``starts_at``, ``ends_at``."""
        found = ["state"] if reading.state == PinState.FAILED else []
        found += ["name"] if reading.name != self.name else []
        if reading.window is not None and self.asked is not None:
            found += times_apart(self.asked, self.asked_at, reading.window)
        return tuple(found)


@dataclass(frozen=True)
class Changed:
    """One of ours that somebody changed on the lock."""

    ours: Ours
    reading: PinReading
    what: tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What a lock's list and our records do not agree on; ``held`` is how many codes the lock lists."""

    missing: tuple[Ours, ...] = ()
    unwanted: tuple[Ours, ...] = ()
    foreign: tuple[PinReading, ...] = ()
    changed: tuple[Changed, ...] = ()
    held: int = 0

    def is_empty(self) -> bool:
        return not (self.missing or self.unwanted or self.foreign or self.changed)

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "missing": [_row(ours) for ours in self.missing],
            "unwanted": [_row(ours) for ours in self.unwanted],
            "foreign": [
                {"name": pin.name, "ref": pin.ref, "state": pin.state.value, **_times(pin.window)}
                for pin in self.foreign
            ],
            "changed": [
                {**_row(one.ours), "what": list(one.what), "asked": _times(one.ours.asked),
                 "found": {"name": one.reading.name, "state": one.reading.state.value, **_times(one.reading.window)}}
                for one in self.changed
            ],
        }  # fmt: skip


def compare(ours: Sequence[Ours], listed: Iterable[PinReading]) -> Difference:
    """What is missing, what should be gone, what is not ours, what was changed by hand.

    What is already on its way off counts as gone.
    """
    pins = [pin for pin in listed if pin.state not in (PinState.GONE, PinState.REMOVING)]
    there = {mine.credential_id: next((pin for pin in pins if mine.matches(pin)), None) for mine in ours}
    due = [mine for mine in ours if mine.is_due]
    touched = [(mine, pin, mine.changes(pin)) for mine in due if (pin := there[mine.credential_id]) is not None]
    return Difference(
        missing=tuple(mine for mine in due if there[mine.credential_id] is None),
        unwanted=tuple(mine for mine in ours if not mine.is_wanted and there[mine.credential_id] is not None),
        foreign=tuple(pin for pin in pins if not any(mine.matches(pin) for mine in ours)),
        changed=tuple(Changed(mine, pin, what) for mine, pin, what in touched if what),
        held=len(pins),
    )


def inspect(lock: Lock, *, now: datetime) -> Difference:
    """Read one lock and compare. Raises DoorError when it cannot be read; changes nothing. One call, as a rule.

    Our own records are read after the lock's: a PIN that a job puts there meanwhile is not taken for a foreign one.
    """
    provider = provider_for(lock.provider)
    listed = provider.list_pins(lock.device)
    rows = _credentials(lock, now)
    if any(_is_lost(row, listed, now) for row in rows):
        listed = _both(listed, provider.list_pins(lock.device, expired=True))
    difference = compare([_ours(row, now) for row in rows], listed)
    missing = tuple(mine for mine in difference.missing if _is_really_missing(mine, lock, provider))
    return Difference(missing, difference.unwanted, difference.foreign, difference.changed, difference.held)


def preview(lock: Lock, *, now: datetime, actor: str) -> Difference:
    """The difference as it stands, kept as the lock's last report. Raises DoorError, which is kept as well."""
    return _reported(lock, now=now, actor=actor, mending=False)


def reconcile(lock: Lock, *, now: datetime, actor: str) -> Difference:
    """The same, and what is missing or unwanted is put right by jobs."""
    return _reported(lock, now=now, actor=actor, mending=True)


def _reported(lock: Lock, *, now: datetime, actor: str, mending: bool) -> Difference:
    try:
        difference = inspect(lock, now=now)
    except DoorError as error:
        LockReport.objects.update_or_create(
            lock=lock, defaults={"tried_at": now, "actor": actor[:150], "error": str(error)}
        )
        raise
    count = mend(lock, difference, now=now, actor=actor) if mending else 0
    LockReport.objects.update_or_create(
        lock=lock,
        defaults={
            "tried_at": now, "checked_at": now, "actor": actor[:150], "error": "", "held": difference.held,
            "found": difference.as_dict(), "missing": len(difference.missing), "unwanted": len(difference.unwanted),
            "foreign": len(difference.foreign), "changed": len(difference.changed), "mending": count,
        },
    )  # fmt: skip
    return difference


@transaction.atomic
def mend(lock: Lock, difference: Difference, *, now: datetime, actor: str) -> int:
    """Correct what we believed and plan the holders again. Returns how many PINs will be put right by jobs."""
    wrong = [*difference.missing, *difference.unwanted]
    for mine in wrong:
        credential = Credential.objects.select_for_update().get(pk=mine.credential_id)
        if mine in difference.missing:
            if not _ours(credential, now).is_due:  # a job has put it right meanwhile
                continue
            note(
                credential, state=State.ABSENT, provider_ref="", asked_at=None, asked_starts_at=None,
                asked_ends_at=None,
            )  # fmt: skip
        else:
            _admit_it_is_there(credential, now)
        replan_subject(mine.subject, now=now)
    if wrong:
        record(
            "lock.reconciled", f"lock:{lock.pk}", actor=actor, summary=lock.name,
            missing=len(difference.missing), unwanted=len(difference.unwanted),
        )  # fmt: skip
    return len(wrong)


@transaction.atomic
def put_right(
    lock: Lock, difference: Difference, *, now: datetime, actor: str, only: Collection[int] | None = None
) -> int:
    """Give PINs that were changed by hand our name and times back, by jobs; ``only`` names credentials.

    The row says from now on that the lock does not hold what was asked for, which is what the plan acts upon.
    """
    count = 0
    for one in difference.changed:
        if only is not None and one.ours.credential_id not in only:
            continue
        credential = Credential.objects.select_for_update().get(pk=one.ours.credential_id)
        if not _ours(credential, now).is_due:
            continue
        if "state" in one.what:  # frozen: the proof fails, and it is written anew
            note(credential, state=State.REQUESTED)
        else:
            not_as_wished = credential.starts_at - timedelta(seconds=1)
            note(credential, state=State.REQUESTED, asked_starts_at=not_as_wished, asked_ends_at=credential.ends_at)
        replan_subject(one.ours.subject, now=now)
        record(
            "lock.pin_put_right", one.ours.subject, actor=actor, summary=lock.name, credential=credential.pk,
            what=list(one.what),
        )  # fmt: skip
        count += 1
    return count


def _admit_it_is_there(credential: Credential, now: datetime) -> None:
    """We may have taken it for removed: the plan only removes what is not proven gone."""
    unwanted_at = credential.unwanted_at or now
    note(credential, state=State.ON_LOCK, wanted=False, unwanted_at=unwanted_at, removed_at=None)


def _credentials(lock: Lock, now: datetime) -> list[Credential]:
    """All that may be on the lock, and those that were taken off recently enough to come back."""
    known = Q(removed_at__isnull=True) | Q(removed_at__gt=now - REMEMBERED)
    return list(Credential.objects.filter(known, lock=lock).order_by("starts_at", "pk"))


def _is_lost(row: Credential, listed: Iterable[PinReading], now: datetime) -> bool:
    """Sent, never answered, and over: the list of valid codes leaves it out although the lock may hold it."""
    is_over = row.ends_at <= now and row.removed_at is None
    return is_over and row.asked_at is not None and not row.provider_ref and all(p.name != row.name for p in listed)


def _both(valid: Sequence[PinReading], everything: Sequence[PinReading]) -> list[PinReading]:
    refs = {pin.ref for pin in valid}
    return [*valid, *(pin for pin in everything if pin.ref not in refs)]


def _ours(credential: Credential, now: datetime) -> Ours:
    kept = credential.wanted or credential.bridges
    wanted = kept and credential.removed_at is None and credential.ends_at > now
    just_gone = credential.removed_at is not None and credential.removed_at >= now  # the list is older than that
    return Ours(
        credential_id=credential.pk,
        subject=credential.subject,
        name=credential.name,
        ref=credential.provider_ref,
        is_due=wanted and credential.state == State.ON_LOCK,
        is_wanted=wanted or just_gone,
        asked=credential.asked,
        asked_at=credential.asked_at,
    )


def _is_really_missing(mine: Ours, lock: Lock, provider: LockProvider) -> bool:
    """A list may be incomplete: only a direct answer of "gone" counts, so that no PIN is ever written twice."""
    return not mine.ref or provider.read_pin(lock.device, mine.ref).state == PinState.GONE


def _row(ours: Ours) -> dict[str, Any]:
    kind, _colon, number = ours.subject.partition(":")
    stay = int(number) if kind == "reservation" else None
    return {"credential": ours.credential_id, "reservation": stay, "subject": ours.subject, "name": ours.name}


def _times(window: Window | None) -> dict[str, str | None]:
    return {
        "starts_at": window.starts_at.isoformat() if window else None,
        "ends_at": window.ends_at.isoformat() if window else None,
    }
