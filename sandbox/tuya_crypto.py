"""How a PIN travels to Tuya: a ticket key wrapped with the Access Secret, and the PIN under the ticket key."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

# AES-ECB is Tuya's choice; the sandbox has to speak it.
BLOCK_BITS = 128


def wrap_ticket_key(key: bytes, secret: str) -> str:
    return encrypt(key, secret.encode()).hex().upper()


def encrypt_pin(pin: str, key: bytes) -> str:
    return encrypt(pin.encode(), key).hex().upper()


def decrypt_pin(cipher_hex: str, key: bytes) -> str:
    """ValueError when the text is not hex, not whole blocks, wrongly padded or not ASCII."""
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    padded = decryptor.update(bytes.fromhex(cipher_hex)) + decryptor.finalize()
    unpadder = PKCS7(BLOCK_BITS).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode("ascii")


def encrypt(plain: bytes, key: bytes) -> bytes:
    padder = PKCS7(BLOCK_BITS).padder()
    padded = padder.update(plain) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(padded) + encryptor.finalize()
