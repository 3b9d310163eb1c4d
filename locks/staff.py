"""Codes for people who work in the house. The plan, the jobs and the proofs are those of every other PIN; what is
special is that an operator is shown the digits, once, and that the audit trail says who looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from locks import allocate, holders, sealing
from locks.models import Credential, Lock, StaffCode
from locks.plan import is_entitled
from locks.planning import replan_subject
from locks.store import note
from reservations.models import Accommodation
from smartlock.audit.services import record

SECRETS = ("pin_hash", "pin_sealed", "pin_fingerprint")


class State(StrEnum):
    """How it stands with a code at its doors."""

    READY = "ready"  # proven on every door
    WAITING = "waiting"  # its time has not come
    INCOMPLETE = "incomplete"  # it should open, and some door has not confirmed
    NO_DOORS = "no_doors"
    REMOVING = "removing"  # over or ended, and some door may still hold it
    ENDED = "ended"


def with_doors(rows: QuerySet[StaffCode]) -> QuerySet[StaffCode]:
    """Codes that know their doors and what is on them: the questions below then take no statement for each."""
    there = Credential.objects.filter(removed_at__isnull=True).select_related("lock").defer(*SECRETS)
    return rows.prefetch_related(
        "locks", "accommodations__locks", Prefetch("credentials", queryset=there, to_attr="there")
    )


def doors_of(code: StaffCode) -> list[Lock]:
    """Those that were named, and all of the units that were named."""
    named = [*code.locks.all(), *(lock for unit in code.accommodations.all() for lock in unit.locks.all())]
    return sorted({lock.pk: lock for lock in named}.values(), key=lambda lock: lock.name)


def there_of(code: StaffCode) -> list[Credential]:
    """What is not proven to be off its doors; ``code`` comes from ``with_doors``."""
    there: list[Credential] = code.there  # type: ignore[attr-defined]
    return there


def proven_doors(code: StaffCode) -> set[int]:
    """The doors that were seen to hold it as it is wished."""
    doors = {lock.pk for lock in doors_of(code)}
    return {one.lock_id for one in there_of(code) if one.wanted and one.is_proven() and one.proven == one.wish} & doors


def state_of(code: StaffCode, now: datetime) -> State:
    doors = doors_of(code)
    if not code.is_in_force(now):
        return State.REMOVING if any(one.asked_at is not None for one in there_of(code)) else State.ENDED
    if not doors:
        return State.NO_DOORS
    if len(proven_doors(code)) == len(doors):
        return State.READY
    return State.WAITING if now < code.starts_at else State.INCOMPLETE


@transaction.atomic
def save(
    code: StaffCode, *, locks: Iterable[Lock] = (), accommodations: Iterable[Accommodation] = (), now: datetime,
    actor: str,
) -> StaffCode:  # fmt: skip
    """Create or change a code with all its doors; PINs and jobs follow by the plan."""
    created = code.pk is None
    code.save()
    code.locks.set(locks)
    code.accommodations.set(accommodations)
    settle(code, created=created, now=now, actor=actor)
    return code


@transaction.atomic
def settle(code: StaffCode, *, created: bool, now: datetime, actor: str) -> None:
    """What follows when the row and its doors have been saved, by whichever form."""
    record("staff_code.created" if created else "staff_code.changed", code.subject, actor=actor, summary=str(code))
    replan_subject(code.subject, now=now)


@transaction.atomic
def end(code: StaffCode, *, now: datetime, actor: str) -> int:
    """Take it off every door at once. Returns how many PINs are being removed."""
    StaffCode.objects.filter(pk=code.pk).update(active=False)
    replan_subject(code.subject, now=now)
    left = code.credentials.filter(removed_at__isnull=True).count()
    record("staff_code.ended", code.subject, actor=actor, summary=str(code), count=left)
    return left


@transaction.atomic
def reveal(code: StaffCode, *, now: datetime, actor: str) -> dict[str, list[str]]:
    """The digits nobody has been shown yet, with the names of their doors; each is shown once, and that is recorded.

    They are chosen now if the time to put them on the doors has not come. Raises Capacity when there are none left.
    """
    for holder in holders.of(code.subject, hold=True):
        if is_entitled(holder, now):
            allocate.allocate(holder, now=now)
    fresh = code.credentials.filter(wanted=True, revealed_at__isnull=True).exclude(pin_sealed=b"")
    rows = list(fresh.select_related("lock").order_by("pin_fingerprint", "lock__name"))
    shown = {
        sealing.unseal(same[0].pin_sealed): [row.lock.name for row in same]
        for _, group in groupby(rows, key=lambda row: row.pin_fingerprint)
        if (same := list(group))
    }
    if rows:
        Credential.objects.filter(pk__in=[row.pk for row in rows]).update(revealed_at=now)
        record("staff_code.revealed", code.subject, actor=actor, summary=str(code), doors=[row.lock_id for row in rows])
    return shown


@transaction.atomic
def renew(code: StaffCode, *, now: datetime, actor: str) -> None:
    """Other digits, say because the old ones were passed on: the old ones go at once, the new ones may be shown."""
    holders.of(code.subject, hold=True)
    for credential in code.credentials.filter(wanted=True):
        note(credential, wanted=False, unwanted_at=now)
    record("staff_code.renewed", code.subject, actor=actor, summary=str(code))
    replan_subject(code.subject, now=now)
