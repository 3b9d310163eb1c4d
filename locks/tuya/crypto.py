"""How a PIN is encrypted on its way to Tuya.

Two steps, both AES-ECB with PKCS7 padding, both dictated by Tuya: the ticket key is unwrapped with the full access
secret (AES-256), and the 16 bytes inside encrypt the PIN (AES-128). Any other recipe ends in a bare code 1109.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

SECRET_LENGTH = 32


def encrypt_pin(pin: str, *, ticket_key: str, secret: str) -> str:
    """The PIN as upper-case hex cipher text for the ``password`` field.

    Raises ValueError, with a text free of all its inputs, if the ticket does not fit the secret.
    """
    if not (pin.isascii() and pin.isdigit()):
        raise ValueError("a PIN is made of the digits 0 to 9")
    return _encrypt(pin.encode("ascii"), _unwrap(ticket_key, secret)).hex().upper()


def _unwrap(ticket_key: str, secret: str) -> bytes:
    try:
        decryptor = _aes_ecb(secret.encode()).decryptor()
        padded = decryptor.update(bytes.fromhex(ticket_key)) + decryptor.finalize()
        unpadder = PKCS7(128).unpadder()
        key = unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        # The library's own words may quote what it was given.
        raise ValueError("the ticket key cannot be unwrapped with the access secret") from None
    if len(key) != 16:
        raise ValueError("the ticket key does not hold a 16 byte key")
    return key


def _encrypt(plain: bytes, key: bytes) -> bytes:
    padder = PKCS7(128).padder()
    encryptor = _aes_ecb(key).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def _aes_ecb(key: bytes) -> Cipher[modes.ECB]:
    return Cipher(algorithms.AES(key), modes.ECB())
