"""Tuya's request signature: one pure function, checked against the vendor's vectors in the tests."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from urllib.parse import parse_qsl


def signed_url(path: str, query: str) -> str:
    """Path and query with sorted keys and decoded values: Tuya signs before percent-encoding."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True), key=lambda pair: pair[0])
    return path + ("?" + "&".join(f"{key}={value}" for key, value in pairs) if pairs else "")


def string_to_sign(method: str, url: str, body: bytes, signed_headers: Sequence[tuple[str, str]] = ()) -> str:
    block = "".join(f"{name}:{value}\n" for name, value in signed_headers)
    return "\n".join([method.upper(), hashlib.sha256(body).hexdigest(), block, url])


def sign(*, client_id: str, secret: str, t: str, text: str, access_token: str = "", nonce: str = "") -> str:
    message = client_id + access_token + t + nonce + text
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest().upper()


def named_headers(names: str, header: Callable[[str], str]) -> list[tuple[str, str]]:
    """The pairs that `Signature-Headers: a:b` lists, in that order."""
    return [(name, header(name)) for name in names.split(":") if name]
