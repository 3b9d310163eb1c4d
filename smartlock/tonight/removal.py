"""How it stands with the PINs of a guest who leaves. Pure: facts in, one sentence out, with the minutes of exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from smartlock.tonight.chain import Light, Mend
from smartlock.tonight.facts import JobFacts

PATIENCE = timedelta(minutes=15)  # removal is tried quickly for so long before a person is told


@dataclass(frozen=True)
class PinFacts:
    """One PIN that was sent to a door. ``ended_at``: from when on it should be gone."""

    door: str
    ended_at: datetime
    removed_at: datetime | None = None
    sleeps: bool = False

    def exposure(self, now: datetime) -> timedelta:
        return max(timedelta(0), (self.removed_at or now) - self.ended_at)


@dataclass(frozen=True)
class Removal:
    """In words, with its colour; ``minutes`` a PIN was, or is, on a door after its end."""

    light: Light
    text: str
    minutes: int = 0
    mend: Mend | None = None
    at: datetime | None = None


def removal(pins: Sequence[PinFacts], jobs: JobFacts, now: datetime) -> Removal:
    if not pins:
        return Removal(Light.NONE, _("No PIN was on a door."))
    minutes = max(int(pin.exposure(now).total_seconds() // 60) for pin in pins)
    left = [pin for pin in pins if pin.removed_at is None]
    if not left:
        gone = max(pin.removed_at for pin in pins if pin.removed_at)
        return Removal(Light.GREEN, _("Removal is proven."), minutes, at=gone)
    due = min(pin.ended_at for pin in left)
    if now < due:
        return Removal(Light.LATER, _("Its PIN goes when the stay is over."), at=due)
    return _overdue(left, jobs, now - due, minutes)


def _overdue(left: Sequence[PinFacts], jobs: JobFacts, late: timedelta, minutes: int) -> Removal:
    names = ", ".join(pin.door for pin in left)
    mend = Mend.RUN_NOW if jobs.next_at else Mend.RETRY if jobs.has_failed else Mend.REPLAN
    if jobs.is_stuck:
        text = _("Removal has failed: %(why)s") % {"why": jobs.error or "?"}
        return Removal(Light.RED, text, minutes, mend)
    if late < PATIENCE and jobs.next_at:
        return Removal(Light.AMBER, _("It is being taken off %(doors)s.") % {"doors": names}, minutes, mend)
    text = _("Still on %(doors)s.") % {"doors": names}
    if any(pin.sleeps for pin in left):
        text += " " + _("Ask somebody to touch the keypad: the lock sleeps.")
    return Removal(Light.RED, text, minutes, mend)


def exposure_text(minutes: int) -> str:
    """What is said of it; nothing when it went in time."""
    if minutes < 1:
        return ""
    return ngettext("%d minute exposed", "%d minutes exposed", minutes) % minutes
