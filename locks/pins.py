"""Which PINs may be given out. Pure: the caller says which are taken.

A PIN is weak when a stranger would try it early: one digit repeated, runs, a repeated half, or famous. Two PINs are
near when one wrong digit or one swap of neighbouring digits turns one into the other; a guest's slip must never
make another guest's PIN.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from itertools import pairwise

from locks.errors import Capacity

TRIES = 1000
FAMOUS = {
    "123456", "654321", "123123", "112233", "121212", "123321", "101010", "696969", "159753", "147258", "258369",
    "1234567", "7654321", "1112222", "1212121", "2580258", "5201314", "1234321", "8675309", "1470258",
}  # fmt: skip


def is_weak(pin: str) -> bool:
    """Whether the PIN is one that people try first."""
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    if steps <= {1} or steps <= {-1} or steps <= {1, -9} or steps <= {-1, 9}:
        return True
    half = len(pin) // 2
    repeated = any(pin == pin[:size] * (len(pin) // size) for size in range(1, half + 1) if len(pin) % size == 0)
    return repeated or len(set(pin)) < min(4, len(pin) - 2) or pin in FAMOUS or pin == pin[::-1]


def near(pin: str) -> Iterator[str]:
    """Every PIN at distance 1: one digit replaced, or two neighbours swapped.

    All ten digits count, also on a keypad that lacks some: a PIN from before its digits were narrowed may be live.
    """
    for place, old in enumerate(pin):
        for digit in "0123456789":
            if digit != old:
                yield pin[:place] + digit + pin[place + 1 :]
    for place in range(len(pin) - 1):
        if pin[place] != pin[place + 1]:
            yield pin[:place] + pin[place + 1] + pin[place] + pin[place + 2 :]


def is_free(pin: str, is_taken: Callable[[str], bool]) -> bool:
    """Whether it is nobody's, and no slip away from somebody's."""
    return not is_taken(pin) and not any(is_taken(other) for other in near(pin))


def choose(length: int, digits: str, is_taken: Callable[[str], bool]) -> str:
    """A random PIN that is not weak, not taken, and not near a taken one.

    Raises Capacity when none is found, which on a keypad of 6 digits takes thousands of live PINs. No PIN is tried
    twice, so where there are no more than ``TRIES`` all are.
    """
    size = len(digits) ** length
    for number in secrets.SystemRandom().sample(range(size), min(TRIES, size)):
        pin = "".join(digits[number // len(digits) ** place % len(digits)] for place in range(length))
        if not is_weak(pin) and is_free(pin, is_taken):
            return pin
    raise Capacity("No free PIN was found for this door: remove old codes, or allow longer PINs on the lock.")
