"""Which PINs are given out: never weak, never taken, never one slip away from another guest's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locks.errors import Capacity
from locks.pins import choose, is_weak, near

WEAK = [
    "1111111",
    "123456",
    "7654321",
    "890123",
    "121212",
    "123123",
    "1221221",
    "2580258",
    "112211",
    "000001",
    "1234321",
]


@pytest.mark.parametrize("pin", WEAK)
def test_what_people_try_first_is_weak(pin: str) -> None:
    assert is_weak(pin)


@pytest.mark.parametrize("pin", ["4829173", "705318", "9150264"])
def test_an_ordinary_pin_is_not(pin: str) -> None:
    assert not is_weak(pin)


@given(st.text("0123456789", min_size=6, max_size=7))
def test_near_means_one_wrong_digit_or_one_swap(pin: str) -> None:
    others = set(near(pin))
    assert pin not in others
    for other in others:
        differing = [i for i, (a, b) in enumerate(zip(pin, other, strict=True)) if a != b]
        swapped = len(differing) == 2 and differing[1] == differing[0] + 1 and sorted(pin) == sorted(other)
        assert len(differing) == 1 or swapped
    assert all(pin in set(near(other)) for other in list(others)[:5])


@given(st.sets(st.text("0123456789", min_size=6, max_size=6), max_size=100), st.sampled_from(["0123456789", "123456"]))
def test_a_chosen_pin_is_at_distance_two_of_every_taken_one(taken: set[str], digits: str) -> None:
    pin = choose(6, digits, lambda candidate: candidate in taken)
    assert len(pin) == 6
    assert set(pin) <= set(digits)
    assert not is_weak(pin)
    assert pin not in taken
    assert not taken & set(near(pin))


def test_when_nothing_is_free_it_says_so() -> None:
    with pytest.raises(Capacity, match="No free PIN"):
        choose(6, "0123456789", lambda _: True)
