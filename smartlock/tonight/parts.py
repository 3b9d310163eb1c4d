"""A long side of the board in parts: trouble on top and in full, what is well folded under its count. Pure.

An address says what is unfolded and how far: ``?in-green=2`` shows two steps of the proven arrivals. So the page needs
no script for it, the part that renews itself is asked with the same words, and a colleague can be sent the address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from smartlock.tonight.chain import Light

SMALL = 20  # so many rows are shown as they are: nothing has to be looked for among them
STEP = 30  # rows that a part shows at first, and more at each asking
MOST_STEPS = 99
LOUD = (Light.RED, Light.AMBER)
ORDER = (*LOUD, Light.LATER, Light.GREEN, Light.NONE)
Row = TypeVar("Row")
Asked = Mapping[str, int]  # by the key of a part: how many steps of it somebody wants to see


def asked(query: Mapping[str, str]) -> Asked:
    """What the address asks for; what makes no sense is left out."""
    keys = [f"{side}-{light.value}" for side in ("in", "out") for light in ORDER]
    found = {key: query.get(key, "") for key in keys}
    return {key: min(int(text), MOST_STEPS) for key, text in found.items() if text.isascii() and text.isdigit()}


@dataclass(frozen=True)
class Part:
    """Rows of one colour, or all of a short side. ``fold`` and ``more`` are addresses: the other way round, and a step
    further.
    """

    key: str
    rows: list[dict[str, Any]]
    light: str = ""
    title: str = ""
    is_open: bool = True
    fold: str = ""
    more: str = ""
    left: int = 0


def parts(
    side: str, rows: Sequence[Row], light: Callable[[Row], Light], show: Callable[[Row], dict[str, Any]],
    title: Callable[[Light, int], str], wanted: Asked,
) -> list[Part]:  # fmt: skip
    """``rows`` in their order; of a long side only those that are to be seen go through ``show``."""
    if not rows:
        return []
    if len(rows) <= SMALL:
        return [Part(f"{side}-all", [show(row) for row in rows])]
    found = {one: [row for row in rows if light(row) is one] for one in ORDER}
    return [_part(f"{side}-{one.value}", one, title, same, show, wanted) for one, same in found.items() if same]


def _part(
    key: str, light: Light, title: Callable[[Light, int], str], rows: Sequence[Row],
    show: Callable[[Row], dict[str, Any]], wanted: Asked,
) -> Part:  # fmt: skip
    steps = wanted.get(key, 1 if light in LOUD else 0)
    seen = rows[: steps * STEP]
    left = len(rows) - len(seen)
    return Part(
        key, [show(row) for row in seen], light.value, title(light, len(rows)), is_open=bool(steps), left=left,
        fold=_address(wanted, key, 0 if steps else 1), more=_address(wanted, key, steps + 1) if seen and left else "",
    )  # fmt: skip


def _address(wanted: Asked, key: str, steps: int) -> str:
    return "?" + urlencode({**wanted, key: steps})
