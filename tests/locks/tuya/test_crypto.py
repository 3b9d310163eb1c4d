from __future__ import annotations

import pytest

from locks.tuya.crypto import encrypt_pin
from tests.locks.tuya.fake_cloud import CIPHER, PIN, SECRET, TICKET_KEY


def test_reference_vector() -> None:
    assert encrypt_pin(PIN, ticket_key=TICKET_KEY, secret=SECRET) == CIPHER


@pytest.mark.parametrize(
    ("pin", "ticket_key", "secret"),
    [
        ("12a4567", TICKET_KEY, SECRET),
        ("", TICKET_KEY, SECRET),
        ("١٢٣٤٥٦٧", TICKET_KEY, SECRET),
        (PIN, TICKET_KEY, SECRET[::-1]),
        (PIN, TICKET_KEY, SECRET[:31]),
        (PIN, TICKET_KEY[:-2], SECRET),
        (PIN, "not hex at all", SECRET),
        (PIN, "", SECRET),
    ],
)
def test_what_does_not_fit_is_refused_without_quoting_it(pin: str, ticket_key: str, secret: str) -> None:
    with pytest.raises(ValueError, match=r"PIN|ticket") as caught:
        encrypt_pin(pin, ticket_key=ticket_key, secret=secret)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for ingredient in filter(None, (pin, ticket_key, secret)):
        assert ingredient not in str(caught.value)
