"""How a PIN is kept: a bcrypt hash of the peppered PIN, a sealed copy (Fernet, rotatable keys), a keyed fingerprint.

The pepper and the seal keys live in the environment, never in the database.
"""

from __future__ import annotations

import hashlib
import hmac

import bcrypt
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from locks.errors import Configuration


def seal(pin: str) -> bytes:
    """Encrypt with the newest key of PIN_SEAL_KEYS."""
    return _box().encrypt(pin.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Raises Configuration when no key of PIN_SEAL_KEYS opens it."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Configuration(
            "A sealed PIN opens with none of the keys in PIN_SEAL_KEYS: put the key it was sealed with back."
        ) from None


def fingerprint(pin: str) -> str:
    """A keyed digest, equal for equal PINs: enough to compare with, useless without the pepper."""
    return hmac.new(settings.PIN_PEPPER.encode(), b"fingerprint:" + pin.encode(), hashlib.sha256).hexdigest()


def hash_pin(pin: str) -> str:
    """bcrypt over the peppered PIN: slow on purpose, so never on the way to the door."""
    return bcrypt.hashpw(_peppered(pin), bcrypt.gensalt(settings.PIN_HASH_ROUNDS)).decode()


def matches(pin: str, pin_hash: str) -> bool:
    """Whether this is the PIN that was hashed."""
    return bool(pin_hash) and bcrypt.checkpw(_peppered(pin), pin_hash.encode())


def _peppered(pin: str) -> bytes:
    return hmac.new(settings.PIN_PEPPER.encode(), b"hash:" + pin.encode(), hashlib.sha256).hexdigest().encode()


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.PIN_SEAL_KEYS])
