"""The chain of proofs of an arrival. Pure: facts in, links out, ``now`` passed in; words in the active language.

| link     | green                              | red                                                       |
|----------|------------------------------------|-----------------------------------------------------------|
| booking  | confirmed, its unit is known       | its unit is not known                                     |
| chosen   | every door has a PIN chosen        | job failed or called off, no lock, or urgent and missing  |
| accepted | every lock's cloud took it         | refused, or urgent and missing                            |
| proven   | every lock was seen to hold it     | urgent and missing                                        |
| backup   | a backup PIN stands in             | never                                                     |
| lock     | battery and connection are fresh   | offline, silent, flat before the arrival, its clock behind|
| message  | the guest was told what is so now  | cannot be reached, given up, or urgent and missing        |
| use      | the PIN opened a door              | only wrong PINs were typed since check-in                 |

Amber is on its way or may become a trouble; "not yet" has its time still to come and is no trouble.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smartlock.tonight.facts import ArrivalFacts, Backup, DoorFacts, JobFacts, Telling

GRACE = timedelta(minutes=2)  # so long a due job may take before it counts as late


class Light(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    LATER = "later"  # not yet: its time has not come
    NONE = "none"  # does not apply here


class Mend(StrEnum):
    """What an operator can do about it: the words are those of the buttons on a stay's page."""

    RETRY = "retry_jobs"
    RUN_NOW = "run_now"
    REPLAN = "replan"
    READMIT = "readmit"
    RESEND = "resend"
    NEW_PIN = "new_pin"
    WAKE = "wake"
    WHY = "why"
    OPEN = "open"


class Step(StrEnum):
    BOOKING = "booking"
    CHOSEN = "chosen"
    ACCEPTED = "accepted"
    PROVEN = "proven"
    BACKUP = "backup"
    LOCK = "lock"
    MESSAGE = "message"
    USE = "use"


@dataclass(frozen=True)
class Link:
    """One proof: how it stands, in words, and what would mend it."""

    step: Step
    light: Light
    text: str
    mend: Mend | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Chain:
    links: tuple[Link, ...]

    def of(self, step: Step) -> Link:
        return next(link for link in self.links if link.step is step)

    @property
    def is_proven(self) -> bool:
        return self.of(Step.PROVEN).light is Light.GREEN

    @property
    def worst(self) -> Light:
        """The colour of the whole row."""
        lights = {link.light for link in self.links}
        return next((light for light in (Light.RED, Light.AMBER) if light in lights), self._calm)

    @property
    def _calm(self) -> Light:
        return Light.GREEN if self.is_proven else Light.LATER

    @property
    def trouble(self) -> Link | None:
        """The link that matters most: the first red one, else the first amber one."""
        for light in (Light.RED, Light.AMBER):
            if found := next((link for link in self.links if link.light is light), None):
                return found
        return None

    @property
    def readiness(self) -> int:
        """Percent of the proofs that can be had before the guest stands at the door, and are."""
        before = [link for link in self.links if link.step is not Step.USE and link.light is not Light.NONE]
        return round(100 * sum(link.light is Light.GREEN for link in before) / len(before))


def chain(facts: ArrivalFacts, now: datetime) -> Chain:
    """All eight links, in the order in which they come about."""
    return Chain(tuple(judge(facts, now) for judge in LINKS))


def _booking(facts: ArrivalFacts, now: datetime) -> Link:
    if not facts.is_mapped:
        return Link(
            Step.BOOKING, Light.RED,
            _("The booking was moved to a listing that no unit here has. Map the listing to a unit."), Mend.OPEN,
        )  # fmt: skip
    if not facts.is_active:
        return Link(Step.BOOKING, Light.AMBER, _("The unit is switched off, so no PIN is made for it."), Mend.OPEN)
    return Link(Step.BOOKING, Light.GREEN, _("The booking is confirmed."), at=facts.received_at)


def _chosen(facts: ArrivalFacts, now: datetime) -> Link:
    step = Step.CHOSEN
    if facts.is_withdrawn:
        return Link(step, Light.RED, _("An operator took this guest's PIN away."), Mend.READMIT)
    if not facts.is_active or not facts.is_mapped:
        return Link(step, Light.NONE, _("No PIN is made as things stand."))
    if not facts.doors:
        return Link(step, Light.RED, _("The unit has no lock: nobody gets in. Enter its lock."), Mend.OPEN)
    if all(door.chosen for door in facts.doors):
        return Link(step, Light.GREEN, _("The PIN is chosen for every door."))
    if (stuck := _stuck(step, facts)) is not None:
        return stuck
    if now < facts.due_at + GRACE:
        return Link(step, Light.LATER, _("It is chosen when its time comes."), at=facts.due_at)
    return _late(step, facts, now, _("The PIN should have been chosen by now."))


def _accepted(facts: ArrivalFacts, now: datetime) -> Link:
    step, doors = Step.ACCEPTED, facts.doors
    if _nothing_chosen(facts):
        return Link(step, Light.LATER, _("Comes after the PIN is chosen."))
    if all(door.accepted for door in doors):
        return Link(step, Light.GREEN, _("The lock's cloud has taken the PIN with the right times."))
    if refused := [door.name for door in doors if door.refused]:
        return Link(step, Light.RED, _("Refused by %(doors)s.") % {"doors": _list(refused)}, _again(facts.door_jobs))
    if (stuck := _stuck(step, facts)) is not None:
        return stuck
    open_ones = [door for door in doors if not door.accepted]
    text = _("Not accepted yet by %(doors)s.") % {"doors": _list([door.name for door in open_ones])}
    if _is_bridged(open_ones, facts, now):
        return Link(step, Light.AMBER, text, _again(facts.door_jobs), facts.door_jobs.next_at)
    return _late(step, facts, now, text)


def _proven(facts: ArrivalFacts, now: datetime) -> Link:
    step, doors = Step.PROVEN, facts.doors
    if _nothing_chosen(facts) or not any(door.accepted or door.proven or door.bridged_until for door in doors):
        return Link(step, Light.LATER, _("Comes after the lock's cloud has accepted the PIN."))
    open_ones = [door for door in doors if not door.proven]
    if not open_ones:
        text = _("The door was seen to hold it.") if len(doors) == 1 else _("Every door was seen to hold it.")
        return Link(step, Light.GREEN, text, at=max((d.proven_at for d in doors if d.proven_at), default=None))
    if facts.is_withdrawn:
        return Link(step, Light.NONE, _("No PIN is made as things stand."))
    if _is_bridged(open_ones, facts, now):
        text = _("%(doors)s changes no PIN: the entry before opens until the new one is proven.")
        return Link(step, Light.AMBER, text % {"doors": _list([d.name for d in open_ones])}, _again(facts.door_jobs))
    tail, mend = _why_unproven(open_ones, facts)
    counted = {"proven": len(doors) - len(open_ones), "doors": len(doors)}
    text = _("Proven on %(proven)d of %(doors)d doors.") % counted + " " + tail
    return Link(step, _pressing(facts, now), text, mend)


def _is_bridged(open_ones: list[DoorFacts], facts: ArrivalFacts, now: datetime) -> bool:
    """Whether the guest gets in all the same, for a good while yet, with the entry before."""
    until = max(now, facts.check_in_at) + facts.patience
    return all(door.bridged_until is not None and door.bridged_until > until for door in open_ones)


def _why_unproven(open_ones: list[DoorFacts], facts: ArrivalFacts) -> tuple[str, Mend]:
    names = _list([door.name for door in open_ones])
    if any(door.is_offline for door in open_ones):
        return _("%(doors)s is not connected: check battery, gateway and network.") % {"doors": names}, Mend.OPEN
    if any(door.sleeps for door in open_ones):
        return _("%(doors)s sleeps: ask somebody to touch its keypad.") % {"doors": names}, Mend.WAKE
    if any(door.unreadable for door in open_ones):
        return _("The answer of %(doors)s could not be read.") % {"doors": names}, Mend.RUN_NOW
    return _("%(doors)s has not confirmed it yet.") % {"doors": names}, _again(facts.door_jobs)


def _backup(facts: ArrivalFacts, now: datetime) -> Link:
    step = Step.BACKUP
    if replaced := [door.name for door in facts.doors if door.replaced]:
        text = _("In use: the guest was given another code for %(doors)s.")
        return Link(step, Light.GREEN, text % {"doors": _list(replaced)})
    without = [door.name for door in facts.doors if door.backup is Backup.NOT_SET_UP]
    if len(without) == len(facts.doors):
        return Link(step, Light.NONE, _("No backup PINs are set up for these doors."))
    if waiting := [door.name for door in facts.doors if door.backup is Backup.ON_ITS_WAY]:
        return Link(step, Light.AMBER, _("The backup PIN is not on %(doors)s yet.") % {"doors": _list(waiting)})
    if without:
        return Link(step, Light.AMBER, _("%(doors)s has no backup PIN.") % {"doors": _list(without)})
    return Link(step, Light.GREEN, _("A backup PIN stands in if the guest's own does not work."))


def _lock(facts: ArrivalFacts, now: datetime) -> Link:
    step = Step.LOCK
    if not facts.doors:
        return Link(step, Light.NONE, _("The unit has no lock."))
    for is_so, light, text in (
        (lambda d: d.is_offline, Light.RED, _("%(doors)s is not connected.")),
        (lambda d: d.flat_at and d.flat_at <= facts.check_in_at, Light.RED,
         _("The battery of %(doors)s will be flat before the guest arrives.")),
        (lambda d: d.silent_since, Light.RED, _("%(doors)s has been silent for too long.")),
        (lambda d: d.clock_fails, Light.RED,
         _("The clock of %(doors)s seems to be behind: it may refuse the PIN. Sync its time in the lock's app.")),
        (lambda d: d.clock_ahead, Light.AMBER,
         _("The clock of %(doors)s seems to be ahead: its PINs open and end too early. Sync it in the lock's app.")),
        (lambda d: d.battery_low, Light.AMBER, _("The battery of %(doors)s is low.")),
        (lambda d: not d.is_known, Light.AMBER, _("%(doors)s has never been heard of.")),
    ):  # fmt: skip
        if found := [door.name for door in facts.doors if is_so(door)]:
            return Link(step, light, text % {"doors": _list(found)}, Mend.OPEN)
    levels = [door.battery_percent for door in facts.doors if door.battery_percent is not None]
    text = _("Connected, battery %(percent)d %%.") % {"percent": min(levels)} if levels else _("Connected.")
    return Link(step, Light.GREEN, text)


def _message(facts: ArrivalFacts, now: datetime) -> Link:
    step, jobs = Step.MESSAGE, facts.telling_jobs
    match facts.telling:
        case Telling.DONE:
            return Link(step, Light.GREEN, _("The guest was told what is so now."), at=facts.told_at)
        case Telling.UNREACHABLE:
            text = _("The guest cannot be reached: %(why)s Enter an address, or call.")
            return Link(step, Light.RED, text % {"why": facts.telling_error}, Mend.RESEND)
        case Telling.FAILED if jobs.is_stuck:
            text = _("The message was given up: %(why)s")
            return Link(step, Light.RED, text % {"why": jobs.error or facts.telling_error}, Mend.RETRY)
        case Telling.FAILED:
            return _untold(facts, now, _("The message did not go out; it is tried again."))
        case Telling.SENDING:
            return Link(step, Light.AMBER, _("It is being sent, or was interrupted: it may have arrived."))
        case Telling.PLANNED if not facts.is_urgent(now):
            return Link(step, Light.LATER, _("Goes out when every door has proven the PIN."), at=jobs.next_at)
        case Telling.PLANNED:
            return _untold(facts, now, _("The guest does not know the PIN yet."))
    return Link(step, Light.LATER, _("There is nothing to tell before a door has taken the PIN."))


def _use(facts: ArrivalFacts, now: datetime) -> Link:
    step, wrong = Step.USE, sum(door.wrong_pins for door in facts.doors)
    if facts.used_at is not None:
        return Link(step, Light.GREEN, _("The PIN opened the door."), at=facts.used_at)
    if now < facts.check_in_at:
        return Link(step, Light.LATER, _("Comes when the guest arrives."), at=facts.check_in_at)
    if wrong:
        text = ngettext(
            "%d wrong PIN was typed since check-in, and none was right.",
            "%d wrong PINs were typed since check-in, and none was right.", wrong,
        )  # fmt: skip
        return Link(step, Light.RED, text % wrong, Mend.WHY)
    return Link(step, Light.LATER, _("The guest has not come yet, as far as the door's log tells."))


LINKS: tuple[Callable[[ArrivalFacts, datetime], Link], ...] = (
    _booking, _chosen, _accepted, _proven, _backup, _lock, _message, _use,
)  # fmt: skip


def _nothing_chosen(facts: ArrivalFacts) -> bool:
    return not any(door.chosen for door in facts.doors)


def _stuck(step: Step, facts: ArrivalFacts) -> Link | None:
    """Nothing goes on by itself: the job failed for good, or somebody called it off."""
    jobs = facts.door_jobs
    if jobs.is_stuck:
        return Link(step, Light.RED, _("Its job has failed: %(why)s") % {"why": jobs.error or "?"}, Mend.RETRY)
    if jobs.next_at is None:
        return Link(step, Light.RED, _("Its job was called off, so nothing happens by itself."), Mend.REPLAN)
    return None


def _late(step: Step, facts: ArrivalFacts, now: datetime, text: str) -> Link:
    """On its way: amber while there is time, red when the guest is about to come."""
    jobs = facts.door_jobs
    return Link(step, _pressing(facts, now), text, _again(jobs), jobs.next_at)


def _untold(facts: ArrivalFacts, now: datetime, text: str) -> Link:
    """The same of the message; without a job, planning the doors again would not write one."""
    jobs = facts.telling_jobs
    return Link(Step.MESSAGE, _pressing(facts, now), text, _again(jobs, Mend.RESEND), jobs.next_at)


def _pressing(facts: ArrivalFacts, now: datetime) -> Light:
    return Light.RED if facts.is_urgent(now) else Light.AMBER


def _again(jobs: JobFacts, without: Mend = Mend.REPLAN) -> Mend:
    if jobs.next_at is not None:
        return Mend.RUN_NOW
    return Mend.RETRY if jobs.has_failed else without


def _list(names: list[str]) -> str:
    return ", ".join(names)
