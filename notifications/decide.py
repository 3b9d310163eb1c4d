"""What to tell a guest, and when. Pure: what she was last told and what is true now come in, a decision comes out.

| told before | true now                                   | message        |
|-------------|--------------------------------------------|----------------|
| anything    | the stay is over                           | none           |
| nothing     | a lock has accepted a PIN                  | pin_ready      |
| a PIN       | other digits, another door, another unit   | pin_changed    |
| a PIN       | another code in its place at a silent door | use_instead    |
| a PIN       | the same PIN, other dates                  | window_changed |
| a PIN       | the stay is cancelled, deleted or blocked  | stay_cancelled |
| a PIN       | the same                                   | none           |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# So long a door is given to prove the PIN before the guest is told it unproven.
BREATH = timedelta(seconds=30)


class Template(StrEnum):
    """The messages to guests; each is a template file per language."""

    PIN_READY = "pin_ready"
    PIN_CHANGED = "pin_changed"
    USE_INSTEAD = "use_instead"
    WINDOW_CHANGED = "window_changed"
    STAY_CANCELLED = "stay_cancelled"


# A replacement opens as it is: the door that did not answer has nothing more to prove.
WAITS_FOR_NO_DOOR = (Template.STAY_CANCELLED, Template.USE_INSTEAD)


@dataclass(frozen=True)
class Knows:
    """What a guest knows: which PINs (as fingerprints, by lock id) open which unit, from when to when."""

    unit: int
    starts_at: datetime
    ends_at: datetime
    codes: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "codes": dict(self.codes), "unit": self.unit,
            "starts_at": self.starts_at.isoformat(), "ends_at": self.ends_at.isoformat(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Knows:
        return cls(
            unit=stored["unit"], codes=stored["codes"],
            starts_at=datetime.fromisoformat(stored["starts_at"]), ends_at=datetime.fromisoformat(stored["ends_at"]),
        )  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What is so now. ``tellable`` is None as long as no lock has accepted a PIN with the present window.

    ``replaced``: the locks at which she was given another code because they did not take her PIN in time.
    """

    is_confirmed: bool
    is_active: bool
    is_over: bool
    check_in_at: datetime
    tellable: Knows | None
    all_proven: bool
    replaced: frozenset[str] = frozenset()


def decide(told: Knows | None, truth: Truth) -> Template | None:
    """The message that is missing, or None."""
    known = told if told is not None and told.codes else None
    if truth.is_over:
        return None
    if not truth.is_confirmed:
        return Template.STAY_CANCELLED if known else None
    if not truth.is_active or truth.tellable is None:
        return None
    return _compare(known, truth.tellable, truth.replaced)


def _compare(known: Knows | None, now: Knows, replaced: frozenset[str]) -> Template | None:
    if known is None:
        return Template.PIN_READY
    new = {lock for lock, code in now.codes.items() if known.codes.get(lock) != code}
    if known.unit != now.unit or new:
        return Template.USE_INSTEAD if known.unit == now.unit and new <= replaced else Template.PIN_CHANGED
    if (known.starts_at, known.ends_at) != (now.starts_at, now.ends_at):
        return Template.WINDOW_CHANGED
    return None


def knows_after(template: Template, told: Knows | None, truth: Truth) -> Knows:
    """What the guest knows once this message has reached her; a cancellation takes all PINs away."""
    if template is Template.STAY_CANCELLED:
        assert told is not None  # decide() cancels only what was told
        return Knows(told.unit, told.starts_at, told.ends_at)
    assert truth.tellable is not None
    return truth.tellable


def must_wait_for_proof(template: Template, truth: Truth, *, now: datetime, patience: timedelta) -> bool:
    """Whether there is still time for the doors to prove the PIN before the guest has to have it."""
    if template in WAITS_FOR_NO_DOOR or truth.all_proven:
        return False
    return now < truth.check_in_at - patience


def due_at(template: Template, truth: Truth, *, now: datetime, patience: timedelta) -> datetime:
    """At once when every door has proven the PIN; else at the last good moment, so that no guest stays without."""
    if template in WAITS_FOR_NO_DOOR or truth.all_proven:
        return now
    return max(truth.check_in_at - patience, now + BREATH)
