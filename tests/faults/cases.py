"""Which faults meet which locks."""

from __future__ import annotations

from locks.provider import Radio
from sandbox.faults import KNOWN
from tests.faults.stage import ASLEEP

EVERY: tuple[Radio, ...] = ("wifi", "zigbee", "ble")


def _lock(number: int, radios: tuple[str, ...]) -> Radio:
    """In turn, so that each kind of lock meets a good part of the faults."""
    return [radio for radio in EVERY if radio in radios][number % len(radios)]


CASES: list[tuple[str, Radio]] = [("none", radio) for radio in EVERY]
CASES += [(ASLEEP, "wifi"), ("offline", "wifi"), ("modify_refused", "zigbee"), ("delete_lies", "zigbee")]
CASES += [case for n, (name, kind) in enumerate(KNOWN.items()) if (case := (name, _lock(n, kind.radios))) not in CASES]
