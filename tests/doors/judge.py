"""What must hold at the doors of a street. The locks themselves are asked: what they hold, and what a keypad says.

``Book`` is what the account, the office and the guests know; the judge compares it with the doors, never with itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.core import mail
from django.db.models import F, Q

from locks import sealing
from locks.holders import lead
from locks.models import Credential, Fallback, Lock
from locks.pins import near
from locks.plan import REVOKE
from locks.remove import ALARM_AFTER
from notifications.models import Notice
from reservations.facts import ReservationFacts
from reservations.models import Accommodation
from sandbox.keypad import slot_verdict, try_pin
from sandbox.state import Door, RecordState, Slot
from scheduler import clock
from scheduler.models import Job
from tests.builders import make_facts
from tests.doors.street import CAPACITY, Street

HALF_HOUR = timedelta(minutes=30)
BY_HAND = "by hand "
# A start that has passed becomes the moment of the call's arrival; locks count in seconds.
BREATH = timedelta(seconds=5)
# The quick quarter of an hour of removals, its last tries a minute apart, and a call that takes its time.
TOLD_AFTER = ALARM_AFTER + timedelta(minutes=4)
# What is due to be on a lock is asked about when it had this long to get there, awake and well as it is.
THERE_AFTER = timedelta(minutes=3)
# Locks count in seconds or in minutes.
COARSE = timedelta(seconds=61)


@dataclass(frozen=True)
class Stay:
    """The account's word on one stay."""

    number: int
    unit: int
    starts_at: datetime
    ends_at: datetime
    booked: bool = True

    @property
    def external_id(self) -> str:
        return f"{self.number:024x}"


@dataclass
class Book:
    """``first_start``: the earliest check-in ever said, by stay. ``touched``: codes a person changed at the lock."""

    stays: dict[int, Stay] = field(default_factory=dict)
    first_start: dict[int, datetime] = field(default_factory=dict)
    used: set[tuple[int, str]] = field(default_factory=set)
    staff: list[int] = field(default_factory=list)
    foreign: set[tuple[str, int]] = field(default_factory=set)
    touched: set[tuple[str, int]] = field(default_factory=set)

    def of(self, credential: Credential) -> Stay | None:
        reservation = credential.reservation
        if hasattr(credential, "fallback"):
            reservation = credential.fallback.reservation
        return self.stays[int(reservation.external_id, 16)] if reservation is not None else None


class Judge:
    def __init__(self, street: Street, book: Book) -> None:
        self.street, self.book = street, book
        self._wrong_since: dict[tuple[str, int], datetime] = {}
        self._digits: dict[tuple[str, str], str] = {}

    # --- always -----------------------------------------------------------------------------------------------------
    def look(self) -> None:
        """P2 and P3 at every door, whatever the weather."""
        known = self._known()
        for door in self.street.doors():
            self._digits_are_apart(door, known)
            for number, slot in door.slots.items():
                self._is_accounted_for(door, number, slot, known)

    def _known(self) -> dict[tuple[str, str], Credential]:
        """Our records of what the doors hold, by the door and the name of the code."""
        names = {self._name(door, number) for door in self.street.doors() for number in door.slots}
        rows = Credential.objects.filter(name__in=names).defer("pin_hash", "pin_sealed", "last_error")
        rows = rows.select_related("reservation", "fallback__reservation", "staff_code")
        return {(self.street.device_of[row.lock_id], row.name): row for row in rows} if names else {}

    def _whose(self, door: Door, number: int, known: dict[tuple[str, str], Credential]) -> Credential | None:
        """None for a code that is not ours."""
        if (door.device_id, number) in self.book.foreign:
            return None
        credential = known.get((door.device_id, self._name(door, number)))
        assert credential is not None, f"{door.name} holds a code that nobody knows: {door.records.get(number)}"
        return credential

    def _name(self, door: Door, number: int) -> str:
        record = door.records.get(number)
        return record.name.replace(BY_HAND, "SL ") if record is not None else ""

    def _digits_are_apart(self, door: Door, known: dict[tuple[str, str], Credential]) -> None:
        """P3, also for what was on the door before: nobody gets digits that somebody else's slip would make."""
        for number, slot in door.slots.items():
            credential = self._whose(door, number, known)
            if credential is None:
                continue
            holder = f"{credential.subject}/{credential.slot}"
            if self._digits.get((door.device_id, slot.pin)) == holder:
                continue
            for digits in {slot.pin, *near(slot.pin)}:
                other = self._digits.get((door.device_id, digits), holder)
                assert other == holder, f"P3: {holder} has a PIN next to {other} on {door.name}"
            self._digits[door.device_id, slot.pin] = holder

    def _is_accounted_for(
        self, door: Door, number: int, slot: Slot, known: dict[tuple[str, str], Credential]
    ) -> None:  # fmt: skip
        """P2: who opens a door without a right to is known to us, is being worked on, and soon a person knows."""
        key, credential = (door.device_id, number), self._whose(door, number, known)
        if credential is None or key in self.book.touched:
            return
        assert credential.removed_at is None, f"P9: proven gone, and still on {door.name}: {credential} {slot}"
        if not opens(slot) or self.has_right(credential):
            self._wrong_since.pop(key, None)
            return
        jobs = Job.objects.filter(subject=credential.subject, payload__lock=credential.lock_id)
        worked_on = jobs.filter(state__in=[*Job.LIVE, Job.State.FAILED], kind__startswith="locks.").exists()
        assert worked_on, f"P2: {door.name} opens outside the stay, and nobody works on it: {self._story(credential)}"
        since = self._wrong_since.setdefault(key, clock.now())
        if clock.now() - since > TOLD_AFTER:
            assert self._is_told(credential), (
                f"P2: {door.name} opens since {since}, and nobody was told: {self._story(credential)}"
            )

    def has_right(self, credential: Credential) -> bool:
        """Whether its holder may open this door now, as the account or the office says. An idle backup is nobody's."""
        stay, now = self.book.of(credential), clock.now()
        if credential.staff_code is not None:
            code = credential.staff_code
            return code.active and code.starts_at <= now < code.ends_at
        if stay is None:
            return True
        device = self.street.device_of[credential.lock_id]
        used = (stay.number, device) in self.book.used
        starts_at = self.book.first_start[stay.number] if used else stay.starts_at
        there = self.street.is_at(stay.unit, device)
        return stay.booked and there and starts_at <= now < stay.ends_at + self._grace(stay)

    def _grace(self, stay: Stay) -> timedelta:
        return timedelta(minutes=self.street.units[stay.unit].grace_minutes)

    def _is_told(self, credential: Credential) -> bool:
        subjects = [credential.subject, "account:tuya"]
        if hasattr(credential, "fallback"):
            subjects.append(credential.fallback.reservation.subject)
        return Notice.objects.filter(subject__in=subjects).exists()

    def removal_goes_on(self) -> None:
        """P9: what may be on a lock without a right has a live job that takes it off, and no such job ever fails."""
        assert not Job.objects.filter(kind=REVOKE, state=Job.State.FAILED).exists(), "P9: a removal was given up"
        over = Q(wanted=False, bridges=False) | Q(ends_at__lte=clock.now())
        for credential in Credential.objects.filter(over, removed_at__isnull=True, asked_at__isnull=False):
            jobs = Job.objects.filter(kind=REVOKE, subject=credential.subject, state__in=Job.LIVE)
            assert jobs.filter(payload__lock=credential.lock_id).exists(), (
                f"P9: nobody removes {self._story(credential)}"
            )

    # --- in the quiet -----------------------------------------------------------------------------------------------
    def quiet(self) -> None:
        """P1, P2, P9 to the letter: whoever is in house gets in everywhere, with one code; nothing else opens; what a
        door holds it holds for the time that was wished, and what is due is there.
        """
        known = self._known()
        for door in self.street.doors():
            for number, slot in door.slots.items():
                credential = self._whose(door, number, known)
                if credential is not None:
                    assert credential.wanted, f"P2: {door.name} still holds {self._story(credential)}"
                    assert not opens(slot) or self.has_right(credential), (
                        f"P2: {door.name} opens to {self._story(credential)}"
                    )
                    self._has_the_wished_window(door, slot, credential)
        for stay in (stay for stay in self.book.stays.values() if stay.booked):
            for lock in self.street.units[stay.unit].locks.all():
                if stay.starts_at + BREATH <= clock.now() < stay.ends_at:
                    self._gets_in(stay, lock)
                elif stay.starts_at - lead(lock) + THERE_AFTER <= clock.now() < stay.starts_at:
                    there = self._slots_of(stay, lock)
                    assert len(there) == 1 or self._is_full(lock), f"{lock} holds {there} for {stay}: {self._jobs()}"
        left = Credential.objects.filter(wanted=False, removed_at__isnull=True)
        assert not left.exists(), f"P9: not proven gone: {[self._story(one) for one in left]}"

    def _has_the_wished_window(self, door: Door, slot: Slot, credential: Credential) -> None:
        """The wish is the account's or the office's word; that our row says the same is only half of it."""
        starts_at, ends_at = self._wished(credential)
        held = [datetime.fromtimestamp(moment, UTC) for moment in (slot.effective_time, slot.invalid_time)]
        said = f"the window of {door.name} is {held[0]} to {held[1]}: {self._story(credential)}"
        assert abs(credential.ends_at - ends_at) < COARSE > abs(held[1] - ends_at), f"not until {ends_at}, {said}"
        assert held[0] <= clock.now() or abs(held[0] - starts_at) < COARSE, f"not from {starts_at}, {said}"

    def _wished(self, credential: Credential) -> tuple[datetime, datetime]:
        """From when to when the door should open to it. A reserve that nobody has only our row knows."""
        stay, code = self.book.of(credential), credential.staff_code
        if code is not None:
            return code.starts_at, code.ends_at
        if stay is None:
            return credential.starts_at, credential.ends_at
        return stay.starts_at, stay.ends_at + self._grace(stay)

    def _slots_of(self, stay: Stay, lock: Lock) -> list[Slot]:
        """What the lock holds for this stay: her own PIN, or a backup that she was given."""
        with self.street.world() as world:
            door = world.doors[lock.device_id]
        known = self._known()
        whose = ((slot, self._whose(door, number, known)) for number, slot in door.slots.items())
        return [slot for slot, one in whose if one is not None and self.book.of(one) == stay]

    def _is_full(self, lock: Lock) -> bool:
        with self.street.world() as world:
            records = world.doors[lock.device_id].records.values()
        return sum(one.state not in (RecordState.GONE, RecordState.FAILED) for one in records) >= CAPACITY

    def _gets_in(self, stay: Stay, lock: Lock) -> None:
        with self.street.world() as world:
            door = world.doors[lock.device_id]
        codes = self.codes(stay, lock)
        if not codes:
            excused = Notice.objects.filter(code="no_way_in").exists() and self._is_full(lock)
            assert excused, f"P1: no code for {stay} at {lock}: {self._jobs()}"
            return
        letters = " ".join(str(message.body) for message in mail.outbox)
        said = [try_pin(door, pin, clock.now().timestamp()) for pin in codes if pin in letters]
        says = [verdict.reason for verdict in said]
        assert any(verdict.opened for verdict in said), (
            f"P1: {lock} says {says} to what {stay} was told: {self._jobs()}"
        )
        self.book.used.add((stay.number, lock.device_id))
        own = [slot for slot in self._slots_of(stay, lock) if opens(slot)]
        beside_offline = any(verdict.code == "opened_offline" for verdict in said)
        assert len(own) == 1 or beside_offline, f"P1: {len(own)} PINs of {stay} open {lock}"

    def codes(self, stay: Stay, lock: Lock) -> list[str]:
        """What the guest may type: a backup that was handed out, her own PIN, offline codes."""
        now = clock.now()
        rows = Fallback.objects.filter(reservation__external_id=stay.external_id, lock=lock).order_by("-pk")
        own = Credential.objects.filter(reservation__external_id=stay.external_id, lock=lock, wanted=True)
        backups = [row.sealed for row in rows if row.is_backup()]
        offline = [row.sealed for row in rows if row.kind == "offline" and row.ends_at and row.ends_at > now]
        asked = [one.pin_sealed for one in own if one.asked_at is not None]
        return [sealing.unseal(sealed) for sealed in [*backups, *asked, *offline] if sealed]

    def over(self) -> None:
        """All stays and codes have ended: nothing of theirs is left anywhere."""
        for door in self.street.doors():
            for number, slot in door.slots.items():
                credential = self._whose(door, number, self._known())
                idle = credential is None or (credential.purpose == "backup" and not hasattr(credential, "fallback"))
                assert idle, f"P2: all is over, and {door.name} holds {slot} of {credential}"
        rows = Credential.objects.exclude(purpose="backup").filter(removed_at__isnull=True, asked_at__isnull=False)
        assert not rows.exists(), f"P9: not proven gone: {[self._story(one) for one in rows]}"

    # --- for the reader of a failure --------------------------------------------------------------------------------
    def _story(self, credential: Credential) -> str:
        facts = Credential.objects.filter(pk=credential.pk).annotate(device=F("lock__device_id")).values(
            "device", "purpose", "reservation", "wanted", "unwanted_at", "starts_at", "ends_at", "asked_at", "bridges",
            "asked_starts_at", "asked_ends_at", "provider_ref", "state", "lock_starts_at", "lock_ends_at", "removed_at",
            "last_error",
        ).get()  # fmt: skip
        return f"{facts} at {clock.now()}"

    def _jobs(self) -> list[tuple[object, ...]]:
        jobs = Job.objects.filter(kind__startswith="locks.")
        return list(jobs.values_list("kind", "subject", "payload__lock", "state", "run_at", "last_error"))


def opens(slot: Slot) -> bool:
    """By the true time: a lock whose clock is wrong cannot be seen by anybody."""
    return slot_verdict(slot, clock.now().timestamp()) == "opened"


def facts_of(stay: Stay, unit: Accommodation) -> ReservationFacts:
    starts, ends = stay.starts_at.astimezone(unit.zone), stay.ends_at.astimezone(unit.zone)
    return make_facts(
        unit, external_id=stay.external_id, short_id=f"S{stay.number}", status="booked" if stay.booked else "canceled",
        check_in_date=starts.date(), check_in_time=starts.time(), check_out_date=ends.date(),
        check_out_time=ends.time(),
    )  # fmt: skip
