"""Stays and doors: guests book, extend, move, cancel and come back, the news arrives in any order and more than once.

The account is the truth; when all is quiet, each door must hold exactly the PINs that the account's last word gives.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from locks.errors import Transient, UnknownOutcome
from locks.models import Credential, Lock
from locks.pins import near
from locks.planning import replan_after_jobs
from reservations.facts import ReservationFacts
from reservations.models import Accommodation, Reservation
from reservations.services import save_facts
from scheduler import clock
from scheduler.models import Job
from tests.builders import NOW, make_accommodation, make_lock
from tests.locks.fake_door import FakeDoors
from tests.simulation.world import MENDED_WITHIN, Tick, Violation, World

ZONE = ZoneInfo("America/Sao_Paulo")
LEAD = timedelta(hours=1)
MOST_STAYS = 3
WRITES = ("create", "change", "delete")
HALF_HOURS = [timedelta(minutes=30) * number for number in range(-2, 10)]


@dataclass(frozen=True)
class Stay:
    """The account's word on one stay."""

    external_id: str
    unit: int
    starts_at: datetime
    ends_at: datetime
    status: str
    said_at: datetime

    @property
    def is_booked(self) -> bool:
        return self.status == Reservation.Status.BOOKED


@dataclass
class Stays:
    """The account, the street of doors, and what a seed can do with them."""

    world: World
    street: FakeDoors
    units: list[Accommodation] = field(default_factory=list)
    doors: list[list[Lock]] = field(default_factory=list)
    truth: dict[str, Stay] = field(default_factory=dict)
    news: list[Stay] = field(default_factory=list)
    told: set[tuple[datetime, datetime]] = field(default_factory=set)
    troubled: bool = True

    # --- what guests and their account do -----------------------------------------------------------------------
    def act(self) -> None:
        rng = self.world.rng
        if self.news and rng.random() < 0.5:
            self.tell(self.news.pop(rng.randrange(len(self.news))))
        elif self.truth and rng.random() < 0.3:
            self.tell(rng.choice(sorted(self.truth.values(), key=lambda stay: stay.external_id)))
        elif rng.random() < 0.1:
            self.sleep_or_wake()
        elif len(self.truth) < MOST_STAYS and rng.random() < 0.5:
            self.book()
        elif self.truth:
            self.change(rng.choice(sorted(self.truth)))

    def book(self) -> None:
        rng = self.world.rng
        starts_at = self._half_hour() + rng.choice(HALF_HOURS)
        ends_at = starts_at + rng.choice(HALF_HOURS[3:])
        unit = rng.randrange(len(self.units))
        self.says(Stay(f"{len(self.truth) + 1:024x}", unit, starts_at, ends_at, "booked", self.world.now))

    def change(self, external_id: str) -> None:
        rng, stay = self.world.rng, self.truth[external_id]
        said_at = max(self.world.now, stay.said_at + timedelta(seconds=1))
        kind = rng.choice(("extend", "move", "unit", "status", "status"))
        if kind == "extend":
            stay = replace(stay, ends_at=max(stay.ends_at + rng.choice(HALF_HOURS), stay.starts_at + HALF_HOURS[3]))
        elif kind == "move":
            by = rng.choice(HALF_HOURS)
            stay = replace(stay, starts_at=stay.starts_at + by, ends_at=stay.ends_at + by)
        elif kind == "unit":
            stay = replace(stay, unit=1 - stay.unit)
        else:
            stay = replace(stay, status="canceled" if stay.is_booked else "booked")
        self.says(replace(stay, said_at=said_at))

    def says(self, stay: Stay) -> None:
        self.truth[stay.external_id] = stay
        self.news.append(stay)
        self.told.add((stay.starts_at, stay.ends_at))
        self.world.note(f"account: {stay}")

    def tell(self, stay: Stay) -> None:
        """The word reaches us, perhaps again, perhaps after a newer one."""
        self.world.note(f"told: {stay.external_id[-2:]} as of {stay.said_at:%H:%M:%S}")
        self.world.client("told", lambda: save_facts(self._facts(stay), facts_at=stay.said_at))

    def _facts(self, stay: Stay) -> ReservationFacts:
        starts, ends = stay.starts_at.astimezone(ZONE), stay.ends_at.astimezone(ZONE)
        return ReservationFacts(
            stay.external_id, self.units[stay.unit].external_id, stay.status, starts.date(), ends.date(),
            starts.time(), ends.time(), short_id=f"S{stay.external_id[-2:]}",
        )  # fmt: skip

    def _half_hour(self) -> datetime:
        return self.world.now.replace(minute=0, second=0, microsecond=0)

    # --- what doors do ------------------------------------------------------------------------------------------
    def sleep_or_wake(self) -> None:
        self.world.note("doors wake" if self.street.asleep else "doors sleep")
        if self.street.asleep:
            self.street.wake()
        else:
            self.street.asleep = True

    def before(self, call: str) -> None:
        self.world.pause(f"door {call}")
        if self.troubled and self.world.rng.random() < 0.03:
            raise Transient("a hiccup on the way")

    def after(self, call: str) -> None:
        if call == "create" and self.world.now < min(starts_at for starts_at, _ in self.told) - LEAD:
            raise Violation(f"P6: a PIN is created at {self.world.now}, long before any stay")
        if call in WRITES:
            self.world.note(f"door {call}: {sorted(self.street.held)}")
            self._right_windows_and_digits()
        self.world.pause(f"door {call} done")
        if call in WRITES and self.troubled and self.world.rng.random() < 0.05:
            raise UnknownOutcome("no answer came")

    def _right_windows_and_digits(self) -> None:
        for held in self.street.held.values():
            if (held.window.starts_at, held.window.ends_at) not in self.told:
                raise Violation(f"P2: {held.name} has a window that no stay ever had: {held.window}")
            for other in self.street.on(held.device_id):
                if other is not held and (other.pin == held.pin or other.pin in set(near(held.pin))):
                    raise Violation(f"P3: {held.name} and {other.name} are nearly the same on {held.device_id}")

    # --- duties and checks --------------------------------------------------------------------------------------
    def ticks(self) -> list[Tick]:
        return [Tick("replan", 60, lambda: replan_after_jobs(now=clock.now()))]

    def check(self) -> None:
        """Between any two steps: what a door does is checked as it happens."""

    def calm(self) -> None:
        """The doors answer, and the poll of the account tells the last word on each stay."""
        self.troubled = False
        self.street.wake()
        self.news.clear()
        for _, stay in sorted(self.truth.items()):
            self.tell(stay)

    def is_settled(self) -> bool:
        return not Job.objects.filter(kind__startswith="locks.", state__in=Job.LIVE).exists()

    def check_quiet(self) -> None:
        """P1, P2, P10: when what was due has had its time, every door holds what it should, and nothing else."""
        now = self.world.now
        work = Job.objects.filter(kind__startswith="locks.", state__in=Job.LIVE)
        if work.filter(due_at__lte=now, due_at__gt=now - MENDED_WITHIN).exists():
            return
        whose = dict(Credential.objects.values_list("name", "reservation__external_id"))
        found = sorted((whose[held.name], held.device_id) for held in self.street.held.values())
        must, may = self._doors_of(now + LEAD), self._doors_of(datetime.max.replace(tzinfo=UTC))
        if len(set(found)) != len(found) or not must <= set(found) <= may:
            raise Violation(f"P1, P2, P10: the doors hold {found}, they must {sorted(must)} and may {sorted(may)}")
        for held in self.street.held.values():
            stay = self.truth[whose[held.name]]
            if (held.window.starts_at, held.window.ends_at) != (stay.starts_at, stay.ends_at):
                raise Violation(f"P2: {held} instead of {stay}")

    def _doors_of(self, begun: datetime) -> set[tuple[str, str]]:
        """Of the stays that have begun by then and are not over: a PIN that came before its stay was moved stays."""
        stays = [stay for stay in self.truth.values() if stay.is_booked and stay.starts_at <= begun]
        current = [stay for stay in stays if self.world.now < stay.ends_at]
        return {(stay.external_id, lock.device_id) for stay in current for lock in self.doors[stay.unit]}

    def check_end(self) -> None:
        if self.street.held:
            raise Violation(f"P2: all stays are over, but the doors still hold {self.street.held}")
        left = Credential.objects.filter(removed_at__isnull=True).exclude(asked_at__isnull=True)
        if left.exists():
            raise Violation(f"P9: not proven gone: {list(left.values())}")


def begin(world: World) -> Stays:
    """Two units, each with a door of its own, behind one gate."""
    stays = Stays(world, FakeDoors())
    stays.street.before, stays.street.after = stays.before, stays.after
    gate = make_lock(name="gate", device_id="gate")
    for number in (1, 2):
        unit = make_accommodation(name=f"unit {number}", external_id=f"unit-{number}", timezone=str(ZONE))
        unit.locks.add(gate)
        door = make_lock(unit, name=f"door {number}", device_id=f"door-{number}")
        stays.units.append(unit)
        stays.doors.append([gate, door])
    world.street = stays.street
    assert NOW.tzinfo is UTC
    return stays
