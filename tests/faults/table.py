"""docs/faults.md: one line per fault, lock and act, as the tests found them. ``make faults`` writes it anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.faults.acts import ACTS, Cell

DOC = Path(__file__).resolve().parents[2] / "docs" / "faults.md"
TITLES = {"create": "Putting a PIN on", "change": "Giving it another window", "remove": "Taking it off"}
HEAD = """# What a fault does to a door

Written by `make faults`, which plays every trouble the sandbox can make against every act at a door; the suite plays
a third of it and compares ([tests/faults](../tests/faults/acts.py)). One stay, one door; the fault begins with the act
and lasts 46 minutes. The PIN is put on 60 minutes before check-in, so that the fault ends 15 minutes before it; it is
changed, or the stay cancelled, two hours after check-in. The lock takes one second to do as it is told.

In every line, at every step: never two PINs of the stay on the door unless one is replacing the other, none that opens
outside the stay, at most 90 calls in almost two hours. At the end the door opens inside the stay, stays shut outside
it, and the PIN is proven gone after check-out.

*told*: the notices an operator got while it lasted. *calls*: to Tuya, from the act to the mending, looks included.
*well again*: after the end of the fault. `none` is a quiet day. What a fault is: `GET /sandbox/doors/{id}/faults`.
`door_clock`: no cloud tells of it, so somebody comes to the door while it lasts. A lock that is an hour ahead opens too
early; one that is three hours behind (while the window is changed) refuses the PIN. Either is told.
`clock_skew` is the time that the cloud says, and no lock goes by that: no PIN opens early or late for it. (`POST
/sandbox/clock` moves the locks' own clocks as well: then all of them are wrong, and open as much too early.)
"""
TABLE = """
## {title}

| fault | lock | at the door while it lasts | told | calls | well again |
|---|---|---|---|---|---|
"""


def line(fault: str, radio: str, cell: Cell) -> str:
    told = ", ".join(f"`{code}`" for code in cell.told) or "nobody"
    return f"| {fault} | {radio} | {cell.during} | {told} | {cell.calls} | {cell.mended} |"


def is_current(act: str, written: str) -> bool:
    """Whether the page has this line, below the title of its act."""
    return written in _section(act)


def _section(act: str) -> list[str]:
    return DOC.read_text().partition(f"## {TITLES[act]}\n")[2].partition("\n## ")[0].splitlines()


def _as_it_stands(act: str, fault: str, radio: str) -> str:
    """The line that the page has; StopIteration when it has none."""
    return next(line for line in _section(act) if line.startswith(f"| {fault} | {radio} |"))


def write(lines: dict[tuple[str, str, str], str], cases: Sequence[tuple[str, str]]) -> None:
    """``lines`` by act, fault and lock; in the order of ``cases``. What was not played stays as it stands."""
    page = HEAD
    for act in ACTS:
        page += TABLE.format(title=TITLES[act.name])
        keys = [(act.name, fault, radio) for fault, radio in cases]
        page += "".join(f"{lines.get(key) or _as_it_stands(*key)}\n" for key in keys)
    DOC.write_text(page)
