"""How a PIN is kept at rest."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from pytest_django.fixtures import Settings

from locks import sealing
from locks.errors import Configuration

PIN = "4829173"


def test_a_sealed_pin_opens_again_and_does_not_show() -> None:
    sealed = sealing.seal(PIN)
    assert PIN.encode() not in sealed
    assert sealing.unseal(sealed) == PIN


def test_keys_rotate_without_losing_what_was_sealed(settings: Settings) -> None:
    sealed = sealing.seal(PIN)
    settings.PIN_SEAL_KEYS = [Fernet.generate_key().decode(), *settings.PIN_SEAL_KEYS]
    assert sealing.unseal(sealed) == PIN
    settings.PIN_SEAL_KEYS = settings.PIN_SEAL_KEYS[:1]
    with pytest.raises(Configuration, match="PIN_SEAL_KEYS"):
        sealing.unseal(sealed)


def test_a_fingerprint_is_keyed_and_stable(settings: Settings) -> None:
    before = sealing.fingerprint(PIN)
    assert before == sealing.fingerprint(PIN) != sealing.fingerprint("4829174")
    settings.PIN_PEPPER = "another pepper that is long enough to be one"
    assert sealing.fingerprint(PIN) != before


def test_the_hash_is_bcrypt_over_the_peppered_pin() -> None:
    hashed = sealing.hash_pin(PIN)
    assert hashed.startswith("$2b$")
    assert sealing.matches(PIN, hashed)
    assert not sealing.matches("4829174", hashed)
    assert not sealing.matches(PIN, "")
