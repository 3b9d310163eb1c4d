"""Gives a guest another way in when the door has not taken the PIN in time, with nobody awake.

A look at a door is a job like any other: it reads the facts, decides (``locks.fallback``), and does one thing. What it
hands out is written in one commit, while the lock's row is held: two looks hand out one code. An offline code whose
answer was lost is known to nobody; the next look asks for another.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.db import transaction

from locks import doors, holders, sealing
from locks.alarms import alarm_once
from locks.errors import DoorError, Unsupported, WaitForDevice
from locks.fallback import Decision, DoorFacts, Offline, Step, decide, next_look, shut_from, usable
from locks.holders import Holder, Place
from locks.models import Credential, Fallback, Lock
from locks.plan import is_entitled
from locks.planning import replan_subject
from locks.provider import OfflineCode, Window
from locks.signals import way_in_changed
from locks.store import note_new
from locks.watching import door_facts, idle_backups, wanted_of, warn_before, ways
from reservations.models import Reservation
from smartlock.audit.services import record

Check = Callable[[], None]
Kind = Fallback.Kind
LOOK_AGAIN = 120  # seconds; while there is no way in at all


def look(place: Place, *, check: Check, now: Callable[[], datetime]) -> Step:
    """Look at one door of a guest and do what is to be done. Raises DoorError when to look again, and why."""
    holder = place.holder()
    if holder is None or not is_entitled(holder, now()) or place.lock_id not in holder.doors():
        return Step.NOTHING
    stay, lock, own = _rows(place)
    facts = door_facts(holder, lock, own, stay.updated_at, doors.provider_for(lock.provider), now())
    decision, code, failure = decide(facts, now(), warn_before=warn_before()), None, None
    if decision.step is Step.OFFLINE:
        try:
            check()
            code = _ask_for_code(lock, Window(now(), facts.stay.ends_at))
        except DoorError as error:  # the next best will do: she is at the door
            failure = error
            decision = decide(replace(facts, offline=Offline.NO), now(), warn_before=warn_before())
    assert decision.at is not None or decision.step is Step.NOTHING
    match decision:
        case Decision(Step.OFFLINE | Step.BACKUP, datetime() as shut):
            _hand_out(place, shut, code, check=check, now=now())
        case Decision(Step.WARN | Step.CALL, datetime() as shut):
            _tell_operator(stay, lock, wanted_of(own), decision.step, shut, now())
            if now() >= shut:
                raise failure or WaitForDevice(f"There is no way in through {lock.name} yet.", after=LOOK_AGAIN)
        case Decision(Step.LATER, datetime() as at) if at != _planned_for(facts):
            # The plan would set the next look for a moment that is past, and so begin it anew without end.
            after = (at - now()).total_seconds()
            text = f"{lock.name} has only just been asked to take the PIN."
            raise WaitForDevice(text, code="look_later", after=after)
    return decision.step


def _planned_for(facts: DoorFacts) -> datetime | None:
    """When the plan has the next look at this door done."""
    return next_look(facts.stay, facts.ways, facts.warned_for, warn_before=warn_before())


def _rows(place: Place) -> tuple[Reservation, Lock, list[Credential]]:
    """The stay, the lock, and the stay's own PINs there that are not proven gone."""
    number = place.subject.partition(":")[2]
    own = list(place.credentials().select_related("lock").filter(removed_at__isnull=True))
    stay = Reservation.objects.select_related("accommodation").get(pk=number)
    return stay, Lock.objects.get(pk=place.lock_id), own


def _ask_for_code(lock: Lock, window: Window) -> OfflineCode:
    provider = doors.provider_for(lock.provider)
    try:
        return provider.create_offline_code(lock.device, name=f"SL {secrets.token_hex(6)}", window=window)
    except Unsupported:
        Lock.objects.filter(pk=lock.pk).update(offline_codes=False)
        raise


@transaction.atomic
def _tell_operator(
    stay: Reservation, lock: Lock, own: Credential | None, step: Step, shut: datetime, now: datetime
) -> None:  # fmt: skip
    """Once per T, and once more when there turns out to be no replacement."""
    row = Fallback.objects.get_or_create(reservation=stay, lock=lock, shut_from=shut)[0]
    silent = f"{lock.name} has not confirmed the PIN.{lock.rouse_hint}"
    if step is Step.CALL and row.called_at is None:
        row.called_at = now
        if own is not None:
            note_new(own, alarmed_at=own.alarmed_at or now)  # one call is enough
        _happened(stay, lock, "no_way_in", silent)
    elif step is Step.WARN and row.warned_at is None and own is not None:
        alarm_once(own, "pin_not_proven", f"{silent} If it stays silent, the guest is sent another code.", now=now)
    row.warned_at = row.warned_at or now
    row.save(update_fields=["warned_at", "called_at"])


@transaction.atomic
def _hand_out(place: Place, shut: datetime, code: OfflineCode | None, *, check: Check, now: datetime) -> None:
    """Write it down by the facts of this very moment. Nothing is handed out to whom a code was handed out meanwhile."""
    lock = Lock.objects.select_for_update().get(pk=place.lock_id)
    holder = place.holder()
    stay, _, own = _rows(place)
    if holder is None or not is_entitled(holder, now) or shut_from(holder.window, ways(holder, lock.pk, own)) != shut:
        return
    row = Fallback.objects.get_or_create(reservation=stay, lock=lock, shut_from=shut)[0]
    row.handed_out_at = row.warned_at = now
    check()  # last of all: after a cancel commits nobody is given anything
    if code is not None:
        _hand_out_offline(row, code)
    else:
        _hand_out_backup(row, holder, now)
    row.save()
    record(
        "fallback.handed_out", stay.subject, summary=f"{lock.name}: {row.get_kind_display()}", kind=row.kind,
        credential=row.credential_id, until=row.ends_at.isoformat() if row.ends_at else "",
        can_be_revoked=row.kind == Kind.BACKUP,
    )  # fmt: skip
    _happened(stay, lock, f"{row.kind}_handed_out", until=row.ends_at)
    # Each in a transaction of its own: whoever chooses digits holds the lock first and the stay second, as here.
    transaction.on_commit(lambda: replan_subject(f"lock:{lock.pk}", now=now))


def _hand_out_offline(row: Fallback, code: OfflineCode) -> None:
    row.kind, row.provider_ref = Kind.OFFLINE, code.ref
    row.starts_at, row.ends_at = code.window.starts_at, code.window.ends_at
    row.code_sealed, row.code_fingerprint = sealing.seal(code.code), sealing.fingerprint(code.code)


def _hand_out_backup(row: Fallback, holder: Holder, now: datetime) -> None:
    free = usable(idle_backups(row.lock), now)
    if not free:
        raise WaitForDevice(f"The backup PIN of {row.lock.name} went to another guest; looked for again.", after=1)
    row.kind, row.credential_id = Kind.BACKUP, free[0].credential_id
    row.starts_at, row.ends_at = now, min(free[0].window.ends_at, holder.ends_at)


def _happened(
    stay: Reservation, lock: Lock, code: str, detail: str = "", *, until: datetime | None = None
) -> None:  # fmt: skip
    way_in_changed.send(Fallback, reservation=stay, lock=lock, code=code, detail=detail, until=until)


def _until(row: Fallback) -> str:
    """The end of a replacement by the clock of the unit."""
    assert row.ends_at is not None
    return f"{row.ends_at.astimezone(row.reservation.accommodation.zone):%Y-%m-%d %H:%M}"


@transaction.atomic
def strand(row: Fallback, *, now: datetime) -> None:
    """The stay of an offline code was ended before the code does: it cannot be revoked, so a person is told."""
    Fallback.objects.filter(pk=row.pk).update(stranded_at=now)
    record("fallback.stranded", row.reservation.subject, summary=row.lock.name, until=_until(row))
    _happened(row.reservation, row.lock, "offline_stranded", until=row.ends_at)


def has_right(row: Fallback, now: datetime) -> bool:
    """Whether the stay that a code was handed out to still has a right to be let in through this door."""
    holder = holders.of_stay(row.reservation)
    return is_entitled(holder, now) and row.lock_id in holder.doors()
