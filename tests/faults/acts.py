"""The three acts at a door, each under a fault: what has to hold at every step, and what the table says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from locks.models import Credential
from scheduler import clock
from tests.builders import NOW
from tests.faults.stage import OnDoor, Stage

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHECK_IN = NOW + timedelta(days=1, hours=6)  # 6 March, 15:00 in São Paulo
CHECK_OUT = NOW + timedelta(days=4, hours=2)  # 9 March, 11:00
LATER = CHECK_OUT + DAY
FAULT_LASTS = 46 * MINUTE  # long enough for every alarm: 15 min after a removal, 30 min before check-in
MENDED_WITHIN = 66 * MINUTE  # removals are tried hourly by then
# From the act's beginning until all is well, almost two hours. The most has a lock that says yes to every change and
# keeps none: ten writes an hour, and looks after each. A loop would need far more.
MOST_CALLS = 90
# A wrong clock is seen only when somebody types the PIN: too early at a lock that is ahead, in vain at one behind.
WRONG_CLOCK = "door_clock"
CLOCK_OFF = {"create": HOUR, "change": -3 * HOUR, "remove": HOUR}


@dataclass(frozen=True)
class Cell:
    """One line of docs/faults.md."""

    during: str
    told: tuple[str, ...]
    calls: int
    mended: str


@dataclass(frozen=True)
class Act:
    """``begin`` at ``at``; ``is_right`` says whether the door and our records are as the stay is entitled to."""

    name: str
    at: datetime
    begin: Callable[[Stage], None]
    ends_at: datetime | None
    words: dict[bool, str]
    empty: str = ""  # in place of the second word when nothing at all is on the door

    def word(self, held: list[OnDoor]) -> str:
        if not held and self.empty:
            return self.empty
        return self.words[[one.ends_at for one in held] == ([self.ends_at] if self.ends_at else [])]

    def is_right(self, stage: Stage) -> bool:
        held, credential = stage.on_door(), stage.credential
        if self.ends_at is None:
            return held == [] and credential.is_gone()
        proven = credential.proven
        return [one.ends_at for one in held] == [self.ends_at] and proven is not None and proven.ends_at == self.ends_at


CREATE = Act(
    "create", CHECK_IN - 61 * MINUTE, lambda stage: None, CHECK_OUT, {True: "PIN on the lock", False: "no PIN"}
)
CHANGE = Act(
    "change",
    CHECK_IN + 2 * HOUR,
    lambda stage: stage.change(check_out_date=LATER.date()),
    LATER,
    {True: "new window", False: "old window"},
    "no PIN",
)
REMOVE = Act(
    "remove",
    CHECK_IN + 2 * HOUR,
    lambda stage: stage.change(status="canceled"),
    None,
    {True: "PIN gone", False: "PIN still opens"},
)
ACTS = (CREATE, CHANGE, REMOVE)


def play(stage: Stage, act: Act, fault: str, arm: Callable[[Stage], None] = lambda stage: None) -> Cell:
    """The act under the fault, for ``FAULT_LASTS``; then the fault ends, and all has to be well again by itself, or
    after a person did what she was told to.
    """
    stage.book()
    stage.watch = lambda: _never_broken(stage.on_door())
    stage.until(act.at)
    calls, told = stage.wire.calls, stage.notices()
    stage.fault(fault, True, off=CLOCK_OFF[act.name])
    arm(stage)
    act.begin(stage)
    if fault == WRONG_CLOCK and act.ends_at is not None:
        _somebody_comes(stage, act)
    stage.until(act.at + FAULT_LASTS)
    during, was_right = stage.on_door(), act.is_right(stage)
    news = stage.notices() - told
    stage.fault(fault, False)
    mended = _mended(stage, act)
    cell = Cell(
        during=act.word(during),
        told=tuple(sorted(news)),
        calls=stage.wire.calls - calls,
        mended=mended,
    )
    assert was_right or news, f"for {FAULT_LASTS} it was not right, and nobody was told: {cell}"
    assert cell.calls <= MOST_CALLS, f"a loop? {cell}"
    _at_the_keypad(stage, act)
    return cell


def _somebody_comes(stage: Stage, act: Act) -> None:
    for minute in (18, 19, 20):
        stage.until(act.at + minute * MINUTE)
        stage.opens(stage.pin())
    stage.until(act.at + 35 * MINUTE)
    stage.read()


def _mended(stage: Stage, act: Act) -> str:
    """How long after the fault's end all was right."""
    since = clock.now()
    by_hand = ""
    if stage.is_on_the_shelf() and not act.is_right(stage):
        by_hand = ", after a retry by hand"
        stage.press_retry()
    assert stage.until(since + MENDED_WITHIN, done=lambda: act.is_right(stage)), "not mended"
    took = clock.now() - since
    if took == timedelta(0):
        return "during it" if not by_hand else f"at once{by_hand}"
    return _rounded(took) + by_hand


def _rounded(took: timedelta) -> str:
    for limit in (10 * SECOND, MINUTE, 6 * MINUTE):
        if took <= limit:
            return f"within {limit.total_seconds():.0f} s" if limit <= MINUTE else "within 6 min"
    return f"within {-(-took // (10 * MINUTE)) * 10} min"


def _never_broken(held: list[OnDoor]) -> None:
    """P1's other half and P2: never two PINs of one stay on a door, and none that opens outside the stay."""
    leaving = Q(bridges=True) | Q(wanted=False, unwanted_at__gte=clock.now() - MINUTE)
    one_replaces_another = Credential.objects.filter(leaving, removed_at__isnull=True).exists()
    assert len(held) <= 1 + one_replaces_another, f"two PINs of one stay: {held}"
    for one in held:
        assert one.starts_at >= CHECK_IN, f"opens before check-in: {one}"
        assert one.ends_at in (CHECK_OUT, LATER), f"opens after check-out: {one}"


def _at_the_keypad(stage: Stage, act: Act) -> None:
    """What the guest meets: shut before check-in, open during the stay, shut afterwards."""
    if act.ends_at is None:
        return
    pin = stage.pin()
    if clock.now() < CHECK_IN:
        stage.until(CHECK_IN - SECOND)
        assert not stage.opens(pin)
    stage.until(max(clock.now(), CHECK_IN) + 3 * SECOND)  # a start in the past becomes the moment of the call's arrival
    assert stage.opens(pin)
    stage.until(act.ends_at + HOUR)
    assert not stage.opens(pin)
    assert stage.on_door() == []
