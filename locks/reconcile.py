"""Compares what should be on a lock with what the lock itself lists, and plans the mending.

``compare`` is pure. Missing and unwanted PINs are put right by the ordinary jobs: the belief that proved wrong is
corrected, then the stay is planned again. A PIN that is not ours (the owner's own, say) is reported and never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from locks.doors import provider_for
from locks.models import Credential, Lock
from locks.planning import replan_subject
from locks.provider import LockProvider, PinReading, PinState
from locks.store import note
from smartlock.audit.services import record

State = Credential.State
REMEMBERED = timedelta(days=200)  # removal is tried for 180 days: an older row cannot be what the lock still lists


@dataclass(frozen=True)
class Ours:
    """A credential in the terms of the comparison. ``is_due``: by our records it should be on the lock now."""

    credential_id: int
    reservation_id: int | None
    name: str
    ref: str
    is_due: bool
    is_wanted: bool
    subject: str = ""

    def matches(self, reading: PinReading) -> bool:
        return reading.name == self.name or bool(self.ref and reading.ref == self.ref)


@dataclass(frozen=True)
class Difference:
    """What a lock's list and our records do not agree on."""

    missing: tuple[Ours, ...] = ()
    unwanted: tuple[Ours, ...] = ()
    foreign: tuple[PinReading, ...] = ()

    def is_empty(self) -> bool:
        return not (self.missing or self.unwanted or self.foreign)

    def as_dict(self) -> dict[str, list[dict[str, Any]]]:
        return {
            "missing": [_row(ours) for ours in self.missing],
            "unwanted": [_row(ours) for ours in self.unwanted],
            "foreign": [{"name": pin.name, "ref": pin.ref, "state": pin.state.value} for pin in self.foreign],
        }


def compare(ours: Sequence[Ours], listed: Iterable[PinReading]) -> Difference:
    """What is missing, what should be gone, what is not ours. What is already on its way off counts as gone."""
    pins = [pin for pin in listed if pin.state not in (PinState.GONE, PinState.REMOVING)]
    return Difference(
        missing=tuple(mine for mine in ours if mine.is_due and not any(mine.matches(pin) for pin in pins)),
        unwanted=tuple(mine for mine in ours if not mine.is_wanted and any(mine.matches(pin) for pin in pins)),
        foreign=tuple(pin for pin in pins if not any(mine.matches(pin) for mine in ours)),
    )


def inspect(lock: Lock, *, now: datetime) -> Difference:
    """Read one lock and compare. Raises DoorError when it cannot be read; changes nothing."""
    provider = provider_for(lock.provider)
    rows = _credentials(lock, now)
    difference = compare([_ours(row, now) for row in rows], provider.list_pins(lock.device))
    missing = tuple(mine for mine in difference.missing if _is_really_missing(mine, lock, provider))
    return Difference(missing, difference.unwanted, difference.foreign)


@transaction.atomic
def mend(lock: Lock, difference: Difference, *, now: datetime, actor: str) -> int:
    """Correct what we believed and plan the stays again. Returns how many PINs will be put right by jobs."""
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


def _admit_it_is_there(credential: Credential, now: datetime) -> None:
    """We may have taken it for removed: the plan only removes what is not proven gone."""
    unwanted_at = credential.unwanted_at or now
    note(credential, state=State.ON_LOCK, wanted=False, unwanted_at=unwanted_at, removed_at=None)


def _credentials(lock: Lock, now: datetime) -> list[Credential]:
    """All that may be on the lock, and those that were taken off recently enough to come back."""
    known = Q(removed_at__isnull=True) | Q(removed_at__gt=now - REMEMBERED)
    return list(Credential.objects.filter(known, lock=lock).order_by("starts_at", "pk"))


def _ours(credential: Credential, now: datetime) -> Ours:
    wanted = credential.wanted and credential.removed_at is None and credential.ends_at > now
    return Ours(
        credential_id=credential.pk,
        reservation_id=credential.reservation_id,
        name=credential.name,
        ref=credential.provider_ref,
        is_due=wanted and credential.state == State.ON_LOCK,
        is_wanted=wanted,
        subject=credential.subject,
    )


def _is_really_missing(mine: Ours, lock: Lock, provider: LockProvider) -> bool:
    """A list may be incomplete: only a direct answer of "gone" counts, so that no PIN is ever written twice."""
    return not mine.ref or provider.read_pin(lock.device, mine.ref).state == PinState.GONE


def _row(ours: Ours) -> dict[str, Any]:
    return {"credential": ours.credential_id, "reservation": ours.reservation_id, "name": ours.name}
