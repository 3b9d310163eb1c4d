"""The signature every Tuya Cloud request carries. Pure: same input, same signature."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping


def sign(
    *,
    secret: str,
    client_id: str,
    t: str,
    method: str,
    url: str,
    body: bytes = b"",
    access_token: str = "",
    nonce: str = "",
    signed_headers: Mapping[str, str] | None = None,
) -> str:
    """Upper-case hex HMAC-SHA256 over who asks, when, and exactly what is sent.

    ``url`` is path and sorted query without host, values not percent-encoded. ``body`` is the very bytes on the wire.
    ``access_token`` stays empty for the token call itself. ``t`` is milliseconds, 13 digits.
    """
    headers_block = "".join(f"{name}:{value}\n" for name, value in (signed_headers or {}).items())
    string_to_sign = "\n".join((method, hashlib.sha256(body).hexdigest(), headers_block, url))
    message = client_id + access_token + t + nonce + string_to_sign
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest().upper()


def url_to_sign(path: str, query: Mapping[str, str]) -> str:
    """Path plus query as signed: keys sorted, values as they are. Signed before URL-encoding, unlike the wire."""
    if not query:
        return path
    return path + "?" + "&".join(f"{key}={query[key]}" for key in sorted(query))
