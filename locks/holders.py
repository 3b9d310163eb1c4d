"""Who PINs are for. A guest, somebody of the staff and a lock's pool of backups differ in four things only: who it is,
from when to when, by what right, and at which doors. Planning, choosing digits, issuing and removing know no more.

A subject names whom jobs are about: ``reservation:<id>``, ``staff:<id>``, ``lock:<id>`` (its backup pool). One subject
may stand for several holders, told apart by ``slot``. Another room's holders are added with ``@holders_of``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from locks.models import AccommodationLock, Credential, Fallback, Lock, StaffCode
from locks.plan import CredentialFacts, HolderFacts
from locks.provider import Window
from reservations.models import Reservation


@dataclass(frozen=True)
class Holder:
    """One whose PIN it is, at one moment. ``keys`` are the columns that make a credential this holder's.

    ``locks`` maps the doors to the time before the start at which the PIN is put there. A guest is watched: shut out
    by a silent door, she is given another code (``locks.fallback``). ``replaced``: doors at which she has a backup now.
    """

    subject: str
    keys: dict[str, Any]
    is_welcome: bool
    starts_at: datetime
    ends_at: datetime
    locks: dict[int, timedelta]
    slot: int = 0
    priority: int | None = None
    is_watched: bool = False
    fallbacks: tuple[Fallback, ...] = ()
    replaced: frozenset[int] = frozenset()

    @property
    def window(self) -> Window:
        return Window(self.starts_at, self.ends_at)

    def doors(self) -> set[int]:
        """All doors that it has a right to, those where a backup has taken the PIN's place included."""
        return {*self.locks, *self.replaced}

    def credentials(self) -> QuerySet[Credential]:
        """All it ever had."""
        return Credential.objects.filter(**self.keys)

    def live_key(self, kind: str, lock_id: int) -> str:
        """Of its job of this kind at this door there is at most one at a time."""
        slot = f":slot:{self.slot}" if self.slot else ""
        return f"{kind}:{self.subject}:lock:{lock_id}{slot}"

    def facts(self, credentials: list[Credential]) -> HolderFacts:
        """What the plan needs to know; ``credentials`` are those that are not proven gone."""
        known = (CredentialFacts(c.lock_id, c.wanted, c.asked, c.is_proven(), c.wish, c.bridges) for c in credentials)
        return HolderFacts(self.is_welcome, self.starts_at, self.ends_at, self.locks, tuple(known))


@dataclass(frozen=True)
class Place:
    """One holder at one door: what a job at a door is about."""

    subject: str
    lock_id: int
    slot: int = 0

    def holder(self) -> Holder | None:
        return next((holder for holder in of(self.subject) if holder.slot == self.slot), None)

    def credentials(self) -> QuerySet[Credential]:
        """All that this holder ever had at this door."""
        return credentials_of(self.subject, self.slot).filter(lock_id=self.lock_id)


# The holders a number stands for; with True, held until the transaction ends, so that two never plan at once.
Load = Callable[[int, bool], list[Holder]]
Columns = Callable[[int], dict[str, Any]]
_loads: dict[str, Load] = {}
_columns: dict[str, Columns] = {}


def holders_of(word: str, columns: Columns) -> Callable[[Load], Load]:
    """Declare the function below as the one that finds the holders of the subjects ``<word>:<number>``.

    ``columns`` are the columns by which their credentials are found.
    """

    def declare(load: Load) -> Load:
        _loads[word], _columns[word] = load, columns
        return load

    return declare


def of(subject: str, *, hold: bool = False) -> list[Holder]:
    """The holders of this subject, none when it is nobody (any more)."""
    word, _, number = subject.partition(":")
    return _loads[word](int(number), hold) if word in _loads and number.isdigit() else []


def credentials_of(subject: str, slot: int = 0) -> QuerySet[Credential]:
    """All that a holder ever had, at whichever door, without looking up who it is."""
    word, _, number = subject.partition(":")
    return Credential.objects.filter(**_columns[word](int(number)), slot=slot)


@holders_of("reservation", lambda number: {"reservation_id": number})
def guest(reservation_id: int, hold: bool) -> list[Holder]:
    """A guest has a right while the stay is confirmed, its unit active, and no operator has withdrawn the PINs."""
    rows = with_fallback(Reservation.objects.select_related("accommodation", "withdrawal"))
    if hold:
        rows = rows.select_for_update(of=("self",), no_key=True)
    stay = rows.filter(pk=reservation_id).first()
    return [of_stay(stay)] if stay is not None else []


def guests(ids: Iterable[int]) -> list[Holder]:
    """The same for many stays in two statements."""
    rows = Reservation.objects.select_related("accommodation", "withdrawal").filter(pk__in=list(ids))
    stays = list(with_fallback(rows))
    links = AccommodationLock.objects.filter(accommodation__in={stay.accommodation_id for stay in stays})
    leads: dict[int, dict[int, timedelta]] = defaultdict(dict)
    for link in links.select_related("lock").order_by("lock_id"):
        leads[link.accommodation_id][link.lock_id] = lead(link.lock)
    return [of_stay(stay, leads[stay.accommodation_id]) for stay in stays]


def with_fallback(rows: QuerySet[Reservation]) -> QuerySet[Reservation]:
    """Stays that know whether they ever had a replacement: nearly none has, and then nobody need ask for it."""
    return rows.annotate(had_fallback=Exists(Fallback.objects.filter(reservation=OuterRef("pk"))))


def of_stay(stay: Reservation, leads: dict[int, timedelta] | None = None) -> Holder:
    known = getattr(stay, "had_fallback", True)
    fallbacks = tuple(stay.fallbacks.select_related("credential")) if known else ()
    if leads is None:
        leads = _leads(Q(accommodations=stay.accommodation_id))
    replaced = frozenset(one.lock_id for one in fallbacks if one.is_backup()) & leads.keys()
    return Holder(
        subject=stay.subject,
        keys={"purpose": Credential.Purpose.GUEST, "reservation_id": stay.pk},
        is_welcome=stay.is_confirmed() and stay.accommodation.active and not hasattr(stay, "withdrawal"),
        starts_at=stay.check_in_at,
        ends_at=stay_end(stay),
        locks={lock_id: lead for lock_id, lead in leads.items() if lock_id not in replaced},
        is_watched=True,
        fallbacks=fallbacks,
        replaced=replaced,
    )


@holders_of("staff", lambda number: {"staff_code_id": number})
def staff(code_id: int, hold: bool) -> list[Holder]:
    """Somebody of the staff, at the doors that were named and at all doors of the units that were named."""
    rows = StaffCode.objects.select_for_update(no_key=True) if hold else StaffCode.objects.all()
    code = rows.filter(pk=code_id).first()
    if code is None:
        return []
    keys = {"purpose": Credential.Purpose.STAFF, "staff_code_id": code.pk}
    doors = _leads(Q(staff_codes=code) | Q(accommodations__staff_codes=code))
    return [Holder(code.subject, keys, code.active, code.starts_at, code.ends_at, doors)]


def _leads(which: Q) -> dict[int, timedelta]:
    return {lock.pk: lead(lock) for lock in Lock.objects.filter(which).distinct().order_by("pk")}


def stay_end(reservation: Reservation) -> datetime:
    """When the PIN stops opening: check-out plus the unit's grace."""
    return reservation.check_out_at + timedelta(minutes=reservation.accommodation.grace_minutes)


def lead(lock: Lock) -> timedelta:
    minutes = settings.PIN_LEAD_MINUTES if lock.lead_minutes is None else lock.lead_minutes
    return timedelta(minutes=minutes)
