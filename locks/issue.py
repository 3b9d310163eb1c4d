"""Puts somebody's PIN on one lock, and gives it another window. Asked for is not done: only a read-back is proof.

Every step is committed before the next call, so a worker that dies anywhere leaves a row that says where it was:
the PIN and its unique name are written before the first call, and after an unknown outcome the lock is read first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import NoReturn

from django.conf import settings
from django.db import transaction

from locks import allocate, doors, sealing
from locks.alarms import alarm_once
from locks.allocate import anew, is_far
from locks.brake import count_pin, count_write, uncount
from locks.errors import (
    AccountPaused,
    Capacity,
    Configuration,
    DoorError,
    Limited,
    NameTaken,
    NotFound,
    PinTaken,
    Refused,
    Transient,
    UnknownOutcome,
    WaitForDevice,
)
from locks.fallback import NEAR
from locks.holders import Place, credentials_of, lead
from locks.models import Credential
from locks.plan import is_entitled
from locks.planning import replan_subject
from locks.proof import FROZEN, NOT_ASKED, SETTLED, ChangeRefused, adopt, prove, twin_of
from locks.provider import LockProvider, Window
from locks.room import make_room, room_was_made
from locks.store import never_asked, note, note_failure
from scheduler.errors import Superseded

Check = Callable[[], None]
State = Credential.State
SLOW_PACE = 2 * 3600.0  # seconds; a lock that answers anybody meanwhile is asked at once (``backups.hurry``)
PATIENCE = timedelta(minutes=2)  # a lock that answers within this is not worth a person's attention


def generate_pin(place: Place, *, check: Check, now: Callable[[], datetime]) -> Credential | None:
    """Bring the door to the wish and prove it. None when nobody is entitled to a PIN there any longer.

    ``check`` is asked before each write to the lock and raises when the job was called off.
    Raises DoorError: Retry, Wait or Stop, as ``locks.errors`` says.
    """
    holder = place.holder()
    if holder is None or not is_entitled(holder, now()) or place.lock_id not in holder.locks:
        return None
    there = list(holder.credentials().filter(removed_at__isnull=True).select_related("lock"))
    _old_doors_first(there)
    if not {credential.lock_id for credential in there if credential.wanted} >= holder.locks.keys():
        there = allocate.allocate(holder, now=now())
    credential = next(c for c in there if c.wanted and c.lock_id == place.lock_id)
    if credential.state == State.ON_LOCK and credential.proven == credential.wish:
        return credential
    provider = doors.provider_for(credential.lock.provider)
    with _failures_noted(credential, now):
        if not credential.provider_ref:
            if credential.error_code == FROZEN:
                _follow_the_first(credential, now())
            _need_digits(credential, now())
            _create_or_adopt(credential, provider, check=check, now=now)
        try:
            prove(credential, provider, now=now)
        except PinTaken:
            _choose_others(credential, now())
        except ChangeRefused:
            _leave_and_put_beside(credential, provider, now())
    return credential


def change_window(place: Place, *, check: Check, now: Callable[[], datetime]) -> Credential | None:
    """Give the PIN that is on the lock the window of its wish, the digits unchanged. None when there is none."""
    credential = place.credentials().select_related("lock").filter(wanted=True, removed_at__isnull=True).first()
    if credential is None or not credential.provider_ref:
        return generate_pin(place, check=check, now=now)
    provider = doors.provider_for(credential.lock.provider)
    with _failures_noted(credential, now):
        _keep_start_after_first_use(credential, provider, now=now())
        try:
            if credential.asked != credential.wish:
                _need_digits(credential, now())
                _send_window(credential, provider, check=check, now=now)
            prove(credential, provider, now=now)
        except ChangeRefused:
            _leave_and_put_beside(credential, provider, now())
    return credential


def _create_or_adopt(
    credential: Credential, provider: LockProvider, *, check: Check, now: Callable[[], datetime]
) -> None:
    if credential.asked_at is not None:
        if adopt(credential, provider):
            return
        if now() - credential.asked_at < SETTLED:
            raise WaitForDevice(
                f"{credential.lock.name} has not answered whether it took the PIN; it is asked again.", after=5
            )
    allocate.check_capacity(credential, now())
    wish = credential.wish
    note(
        credential, state=State.REQUESTED, asked_at=now(), asked_starts_at=wish.starts_at, asked_ends_at=wish.ends_at,
        **count_write(credential, now()),
    )  # fmt: skip
    try:
        check()  # last of all: after a cancel commits no new effect begins
        ref = provider.create_pin(
            credential.lock.device, name=credential.name, pin=sealing.unseal(credential.pin_sealed), window=wish
        )
    except UnknownOutcome:
        raise  # what was asked stays noted: the next try looks on the lock before it writes
    except NameTaken:  # ours, from a call whose answer was lost: the name is random
        if adopt(credential, provider):
            return
        raise Transient(
            f"{credential.lock.name} has the PIN but does not list it yet; it is looked for again."
        ) from None
    except PinTaken:
        never_asked(credential)
        _choose_others(credential, now())
    except (DoorError, Superseded):
        never_asked(credential)
        uncount(credential)
        raise
    note(credential, provider_ref=ref)
    if credential.error_code == Capacity.code:  # until a moment ago: the next in line may find a place as well
        room_was_made(credential.lock_id, now=now())


def _choose_others(credential: Credential, now: datetime) -> NoReturn:
    if credential.first_used_at is not None:
        _follow_the_first(credential, now)
    count_pin(credential, credentials_of(credential.subject, credential.slot), now)
    _replace(credential, now)
    text = f"{credential.lock.name} already had these digits: others are chosen."
    raise Transient(text, code="pin_taken") from None


def _follow_the_first(credential: Credential, now: datetime) -> None:
    """Digits that the guest has used are frozen: the entry she uses stays to its end, and this one follows it then."""
    first = twin_of(credential)
    if first is None:
        return
    door, until = credential.lock.name, first.closes_at
    text = f"{door} takes neither new times nor equal digits, so the PIN opens until {until:%Y-%m-%d %H:%M} UTC."
    alarm_once(credential, FROZEN, text, now=now, until=until)
    raise WaitForDevice(text, after=(until - now).total_seconds() if now < until else None, code=FROZEN)


def _send_window(credential: Credential, provider: LockProvider, *, check: Check, now: Callable[[], datetime]) -> None:
    wish, pin = credential.wish, sealing.unseal(credential.pin_sealed)
    note(credential, **count_write(credential, now()))
    try:
        check()
        provider.change_pin(
            credential.lock.device, credential.provider_ref, name=credential.name, pin=pin, window=wish
        )  # fmt: skip
    except NotFound:
        note(credential, state=State.ABSENT, provider_ref="", **NOT_ASKED)
        raise Transient(f"{credential.lock.name} lost the PIN: it is put back.", code="pin_vanished") from None
    except ChangeRefused:
        raise
    except Refused:
        _leave_and_put_beside(credential, provider, now())
    except UnknownOutcome:
        if credential.state != State.ON_LOCK:  # one that the lock refused, or that is frozen, is written anew
            prove(credential, provider, now=now)
        raise
    except (DoorError, Superseded):
        uncount(credential)
        raise
    note(
        credential, state=State.REQUESTED, asked_at=now(), asked_starts_at=wish.starts_at, asked_ends_at=wish.ends_at
    )  # fmt: skip


def _leave_and_put_beside(credential: Credential, provider: LockProvider, now: datetime) -> NoReturn:
    """The lock does not change this PIN: what it holds stays as it is, and a second one takes its place."""
    if hasattr(credential, "fallback"):  # its digits must not become those of a backup that nobody has
        raise Refused(
            f"{credential.lock.name} changes no PIN: the backup PIN that the guest has keeps its times, "
            "and is taken off when the stay is over.", code="change_refused",
        ) from None  # fmt: skip
    _learn_of_use(credential, provider, now)
    _put_beside(credential, now)
    raise Transient(
        f"{credential.lock.name} does not change a PIN: a second one takes its place.", code="change_refused"
    ) from None


@transaction.atomic
def _put_beside(old: Credential, now: datetime) -> None:
    """The same digits under another name, for the window that is wished; the old PIN goes once the new one is proven.

    A lock that takes no equal digits says so (``PinTaken``) when they are put there: then the guest gets new ones.
    """
    was = old.proven or old.asked or old.wish
    overlap = was.starts_at < old.ends_at and old.starts_at < was.ends_at
    new = anew(old)
    note(
        old, wanted=False, unwanted_at=None if overlap else now, bridges=overlap, starts_at=was.starts_at,
        ends_at=was.ends_at,
    )  # fmt: skip
    new.save()
    replan_subject(old.subject, now=now, after_job=True)


def _keep_start_after_first_use(credential: Credential, provider: LockProvider, *, now: datetime) -> None:
    """Before a start is moved for a PIN that may have been used, ask the door's log; then only the end moves."""
    proven = credential.proven
    if proven is None or credential.first_used_at or now < proven.starts_at or credential.starts_at <= proven.starts_at:
        return
    used_at = _first_use(credential, proven, provider, now)
    if used_at is not None:
        note(credential, first_used_at=used_at, starts_at=proven.starts_at)


def _learn_of_use(credential: Credential, provider: LockProvider, now: datetime) -> None:
    """Before other digits may have to be chosen, ask the door's log. If it cannot be read, what is known has to do."""
    proven = credential.proven
    if proven is None or credential.first_used_at or now < proven.starts_at:
        return
    with suppress(DoorError):
        used_at = _first_use(credential, proven, provider, now)
        if used_at is not None:
            note(credential, first_used_at=used_at)


def _first_use(credential: Credential, held: Window, provider: LockProvider, now: datetime) -> datetime | None:
    openings = provider.openings(credential.lock.device, held.starts_at, now)
    return min((one.at for one in openings if one.pin_ref == credential.provider_ref), default=None)


def _old_doors_first(there: list[Credential]) -> None:
    """Moved to another unit: off the old locks first. A door that does not answer holds the guest up only once."""
    if any(not c.wanted and not c.bridges and c.removal_tried_at is None and c.asked_at is not None for c in there):
        raise WaitForDevice("The PIN is taken off the former doors first.", after=1, code="old_doors_first")


def _need_digits(credential: Credential, now: datetime) -> None:
    """With PIN_KEEP=delivered the digits are gone once the guest has them: a change then means new ones."""
    if not credential.pin_sealed:
        _replace(credential, now)
        raise Transient("The digits were erased once the guest had them: new ones are chosen.", code="pin_erased")


@transaction.atomic
def _replace(credential: Credential, now: datetime) -> None:
    """These digits cannot be used on this lock: retire them on all doors, so that the next try chooses others."""
    kin = credentials_of(credential.subject, credential.slot)
    for row in kin.filter(pin_fingerprint=credential.pin_fingerprint, wanted=True):
        note(row, wanted=False, unwanted_at=now)
        if row.pk == credential.pk and not row.provider_ref:
            note(row, removed_at=now, pin_sealed=b"", state=State.ABSENT)
    replan_subject(credential.subject, now=now, after_job=True)


@contextmanager
def _failures_noted(credential: Credential, now: Callable[[], datetime]) -> Iterator[None]:
    """Keep the sentence; and shortly before arrival, or when trying again cannot help, tell a person."""
    try:
        yield
    except DoorError as error:
        note_failure(credential, error)
        nothing_to_free = isinstance(error, Capacity) and make_room(credential.lock_id, now=now()) > 0
        take_time(credential, error, now())
        if credential.purpose == Credential.Purpose.BACKUP:
            raise
        if not isinstance(error, Limited):
            replan_subject(credential.subject, now=now(), after_job=True)  # from here on somebody looks after the guest
        if isinstance(error, AccountPaused):  # one person was told for all stays
            raise
        soon = now() >= credential.starts_at - timedelta(minutes=settings.TELL_UNPROVEN_MINUTES)
        tried_for_a_while = now() - _trying_since(credential) >= PATIENCE
        if nothing_to_free and tried_for_a_while and not is_far(credential, now()):
            alarm_once(credential, "no_room", str(error), now=now())
        elif isinstance(error, Refused | Configuration) or (soon and tried_for_a_while):
            alarm_once(credential, "pin_not_proven", str(error), now=now())
        raise


def _trying_since(credential: Credential) -> datetime:
    """A lock that was sent a change a moment ago is given the same time to answer as one that got a new PIN."""
    sent_at = credential.asked_at if credential.asked == credential.wish else None
    return max(moment for moment in (credential.created_at, credential.writes_since, sent_at) if moment)


def take_time(credential: Credential, error: DoorError, now: datetime) -> None:
    """A backup, and a PIN that was put off, wait for whoever wakes the lock next, and a far one for whoever makes room:
    asking the lock every few minutes would only use up calls.
    """
    if isinstance(error, Capacity) and is_far(credential, now):
        error.after = min(SLOW_PACE, (credential.starts_at - NEAR - now).total_seconds())
    if error.code != WaitForDevice.code or now - _trying_since(credential) < PATIENCE:
        return
    until_lead = (credential.starts_at - lead(credential.lock) - now).total_seconds()
    if credential.purpose == Credential.Purpose.BACKUP or until_lead > 0:
        error.after = min(SLOW_PACE, until_lead) if until_lead > 0 else SLOW_PACE
