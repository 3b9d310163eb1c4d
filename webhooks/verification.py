"""Who sent this? Pure: bytes and headers in, an answer out. All comparisons take constant time.

Stays signs with an algorithm it does not publish (values of 96 and more base64 characters, so no HMAC): such a
signature is *unverifiable*. HMAC-SHA256 over the raw body with a shared secret is ours: ``X-Stays-Signature`` or
``X-Hub-Signature-256``, as ``sha256=<hex>``, bare hex, or base64. Standard Webhooks 1.0 is the other one we check.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from enum import StrEnum

from standardwebhooks import Webhook, WebhookVerificationError

HEADERS = ("x-stays-signature", "x-hub-signature-256")
MESSAGE_ID = "webhook-id"
DIGEST_BYTES = hashlib.sha256().digest_size


class Verdict(StrEnum):
    VERIFIED = "verified"
    UNVERIFIABLE = "unverifiable"  # no signature, or one that nobody but the sender can check
    BAD = "bad"


def check_signature(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Verdict:
    """``headers`` with lower-case names. Any of ``secrets`` may have signed, so that they can be rotated."""
    given = next((headers[name] for name in HEADERS if headers.get(name)), "").strip()
    digest = _digest(given.removeprefix("sha256="))
    if digest is None or not secrets:
        return Verdict.BAD if given.startswith("sha256=") and digest is None else Verdict.UNVERIFIABLE
    good = [hmac.compare_digest(digest, hmac.digest(s.encode(), body, "sha256")) for s in secrets]
    return Verdict.VERIFIED if any(good) else Verdict.BAD


def check_standard(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Verdict:
    """Standard Webhooks: ``webhook-id``, ``-timestamp`` (within five minutes of now) and ``-signature``."""
    good = [_is_standard(Webhook(secret), headers, body) for secret in secrets]
    return Verdict.VERIFIED if any(good) else Verdict.BAD


def _is_standard(webhook: Webhook, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError, TypeError):  # a list that is none, base64 that is none, no UTF-8
        return False
    return True


def is_one_of(given: str, allowed: Sequence[str]) -> bool:
    """Whether a token or id is one of those allowed; every one is compared, whatever matches."""
    matches = [hmac.compare_digest(given.encode("utf-8", "surrogatepass"), one.encode()) for one in allowed]
    return any(matches)


def _digest(text: str) -> bytes | None:
    """The 32 bytes of a SHA-256 written as hex or base64; None for anything of another length."""
    for decode in (bytes.fromhex, _base64):
        try:
            if len(raw := decode(text)) == DIGEST_BYTES:
                return raw
        except ValueError:
            continue
    return None


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
