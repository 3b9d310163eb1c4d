"""Who came in: reads a lock's open log, tells each opening from the last, and finds whose PIN it was.

``whose`` is pure. What was read twice is recorded once, so reading further back than needed does no harm; sleeping
locks hand their log in late, so they are read further back. A push message ends in ``record_openings`` as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q

from locks import clockwatch, doors
from locks.models import Credential, Fallback, Lock, Opening
from locks.provider import DoorOpening, Window
from locks.store import note

Who, Match = Opening.Who, Opening.Match
OFFLINE = "offline_pd"
OURS = ("temporary", OFFLINE)  # how an adapter calls an opening by a PIN, or an offline code, made from here
OFFSET = 900
FIRST_LOOK = timedelta(days=7)
AHEAD = timedelta(days=1)  # what a lock with a fast clock has stamped is asked for as well
LATE = {Lock.Radio.WIFI: timedelta(days=1), Lock.Radio.ZIGBEE: timedelta(hours=1), Lock.Radio.BLE: timedelta(hours=6)}
SLACK = timedelta(minutes=1)  # locks may count in whole minutes, and their clocks are not ours
SAME = timedelta(seconds=2)
Key = tuple[datetime, str, str]
REMEMBERED = timedelta(days=2)  # a number may be given to another PIN later: one that went longer ago did not do it


@dataclass(frozen=True)
class Holder:
    """A credential, or an offline code (``fallback_id``), in the terms of the matching: when it may have opened the
    door, and for whom.
    """

    credential_id: int | None
    ref: str
    window: Window
    removed_at: datetime | None
    who: Opening.Who
    fallback_id: int | None = None

    def opens(self, at: datetime) -> bool:
        return self.window.starts_at - SLACK <= at <= self._end + SLACK

    def was_there(self, at: datetime) -> bool:
        return self.window.starts_at - REMEMBERED <= at <= self._end + REMEMBERED

    @property
    def _end(self) -> datetime:
        return min(self.window.ends_at, self.removed_at or self.window.ends_at)


def whose(
    opening: DoorOpening, holders: Sequence[Holder], foreign: frozenset[str] = frozenset()
) -> tuple[Holder | None, Opening.Match]:
    """By the PIN's number; by a number that is 900 off; else by the time, if only one PIN of ours opened then.

    ``foreign`` are numbers known to be somebody else's: such an opening is nobody's of ours, whatever the time.
    """
    if opening.method not in OURS:
        return None, Match.NONE
    holders = [one for one in holders if (one.fallback_id is not None) == (opening.method == OFFLINE)]
    named = [one for one in holders if one.ref and one.was_there(opening.at)]
    if opening.pin_ref is not None:
        for refs, how in (({opening.pin_ref}, Match.REFERENCE), (_shifted(opening.pin_ref), Match.OFFSET)):
            found = [one for one in named if one.ref in refs]
            if found:
                return min(found, key=lambda one: not one.opens(opening.at)), how
        if {opening.pin_ref, *_shifted(opening.pin_ref)} & foreign:
            return None, Match.NONE
    then = [one for one in holders if one.opens(opening.at)]
    return (then[0], Match.WINDOW) if len(then) == 1 else (None, Match.NONE)


def import_openings(lock: Lock, *, now: datetime) -> int:
    """Read what is new in the lock's log; returns how many openings were new. Raises DoorError; may be repeated."""
    since = lock.log_read_at - LATE[Lock.Radio(lock.radio)] if lock.log_read_at else now - FIRST_LOOK
    found = doors.provider_for(lock.provider).openings(lock.device, since, now + AHEAD)
    new = record_openings(lock, found, now=now)
    Lock.objects.filter(pk=lock.pk).update(log_read_at=now)
    lock.log_read_at = now  # the alarms that are read next are judged by it
    clockwatch.look_for_refusals(lock, log_until=now, now=now)
    return new


@transaction.atomic
def record_openings(lock: Lock, openings: Iterable[DoorOpening], *, now: datetime) -> int:
    """Write down those that are not known yet, and the first use of each PIN. Returns how many were new."""
    found = {(one.at, one.method[:32], one.pin_ref or ""): one for one in openings}
    if not found:
        return 0
    known = set(
        Opening.objects.filter(lock=lock, at__gte=min(at for at, *_ in found) - SAME).values_list("at", "method", "ref")
    )
    new = [one for key, one in found.items() if not _is_known(key, known)]
    if not new:
        return 0
    rows = _credentials(lock, since=min(one.at for one in new))
    holders = [_holder(row) for row in rows] + _offline(lock, since=min(one.at for one in new))
    foreign = _foreign(lock)
    made = [_row(lock, one, *whose(one, holders, foreign), now=now) for one in new]
    Opening.objects.bulk_create(made, ignore_conflicts=True)
    _note_first_use(rows, made)
    clockwatch.judge_openings(lock, made, rows, LATE[Lock.Radio(lock.radio)], now=now)
    latest = min(now, max(one.at for one in new))
    Lock.objects.filter(Q(heard_at__isnull=True) | Q(heard_at__lt=latest), pk=lock.pk).update(heard_at=latest)
    return len(made)


def _is_known(key: Key, known: Iterable[Key]) -> bool:
    """A push message and the log may tell the same opening a second apart."""
    at, method, ref = key
    return any(
        abs(at - known_at) <= SAME and (method, ref) == (known_method, known_ref)
        for known_at, known_method, known_ref in known
    )


def _row(lock: Lock, one: DoorOpening, holder: Holder | None, how: Opening.Match, *, now: datetime) -> Opening:
    return Opening(
        lock=lock, at=one.at, method=one.method[:32], ref=one.pin_ref or "", name=one.who[:100], matched_by=how,
        credential_id=holder.credential_id if holder else None,
        fallback_id=holder.fallback_id if holder else None, who=holder.who if holder else Who.UNKNOWN,
        recorded_at=now,
    )  # fmt: skip


def _note_first_use(rows: list[Credential], made: list[Opening]) -> None:
    """The first use freezes the digits and the start, so a guess by time counts too: wrongly frozen harms nobody."""
    for row in rows:
        used = [opening.at for opening in made if opening.credential_id == row.pk]
        if used and (row.first_used_at is None or min(used) < row.first_used_at):
            note(row, first_used_at=min(used))


def _credentials(lock: Lock, *, since: datetime) -> list[Credential]:
    """All that may have opened this door since then."""
    lately = Q(removed_at__isnull=True) | Q(removed_at__gte=since - REMEMBERED)
    return list(Credential.objects.filter(lately, lock=lock, asked_at__isnull=False).order_by(F("starts_at"), "pk"))


def _holder(row: Credential) -> Holder:
    window = row.asked or row.wish
    return Holder(row.pk, row.provider_ref, window, row.removed_at, Who(row.purpose))


def _offline(lock: Lock, *, since: datetime) -> list[Holder]:
    """Offline codes that were given to guests for this door: no credentials, and numbered apart from them."""
    given = Fallback.objects.filter(lock=lock, kind=Fallback.Kind.OFFLINE, ends_at__gte=since - REMEMBERED)
    return [
        Holder(None, row.provider_ref, Window(row.starts_at, row.ends_at), None, Who.GUEST, row.pk)
        for row in given
        if row.starts_at is not None and row.ends_at is not None
    ]


def _foreign(lock: Lock) -> frozenset[str]:
    """The numbers of codes that the last reconciliation found to be somebody else's."""
    report = getattr(lock, "report", None)
    return frozenset(code["ref"] for code in report.found.get("foreign", [])) if report else frozenset()


def _shifted(ref: str) -> set[str]:
    return {str(int(ref) + OFFSET), str(int(ref) - OFFSET)} if ref.isdigit() else set()
