"""What happens to one delivery at the door: check, commit, 200. Nothing here waits for Stays, Tuya, Redis or a worker.

It knows nothing of Django's requests: ``views`` and ``wsgi`` are its two thin frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address

import structlog
from django.conf import settings

from scheduler import clock
from webhooks import receipt
from webhooks.envelope import Malformed, parse
from webhooks.sources import Source
from webhooks.verification import Verdict, is_one_of

log = structlog.get_logger(__name__)
LIMIT = 256 * 1024
Answer = tuple[int, dict[str, object]]


class TooLarge(Exception):
    """The body is larger than ``LIMIT``, or its length is no length."""


class CutOff(Exception):
    """The connection ended before the body did."""


def knock(
    source: Source, token: str, headers: Mapping[str, str], read: Callable[[], bytes], remote: str
) -> Answer:  # fmt: skip
    """One delivery. 200 means: stored, and it will be processed. 4xx means: nothing was stored.

    A sender proves itself by the secret token in the address, or by a verified signature. ``headers`` have lower-case
    names; ``read`` gives the body, or raises TooLarge or CutOff.
    """
    if token and not is_one_of(token, getattr(settings, source.tokens)):
        return _refuse(404, "unknown_token", "This webhook address is not known. Check the token at its end.")
    try:
        body = read()
    except TooLarge:
        return _refuse(413, "too_large", f"The body is larger than {LIMIT // 1024} KiB.")
    except CutOff:
        return _refuse(400, "cut_off", "The connection ended before the body did.")
    verdict = source.check(headers, body)
    must_sign = source.must_sign or not token
    if verdict == Verdict.BAD or (must_sign and verdict != Verdict.VERIFIED):
        return _refuse(401, "bad_signature", f"The signature is missing or wrong: {source.how_to_sign}")
    client_id = headers.get(source.client_id_header, "")
    ours = getattr(settings, source.client_id) if client_id else ""
    if client_id and ours and not is_one_of(client_id, [ours]):
        return _refuse(401, "wrong_client", f"{source.client_id_header} is not the client id of this connection.")
    try:
        envelope = parse(body, message_id=headers.get(source.message_id_header, ""))
    except Malformed as error:
        return _refuse(400, "malformed", str(error))
    stored = receipt.receive(
        envelope, source=source.name, headers=headers, body=body, verdict=verdict, remote=address(remote),
        now=clock.now(),
    )  # fmt: skip
    return 200, {"status": "stored" if stored.created else "duplicate", "event": stored.event_id}


def length_of(text: str) -> int:
    """A Content-Length as a number; none given counts as none sent. Raises TooLarge."""
    try:
        length = int(text or 0)
    except ValueError:
        raise TooLarge from None
    if not 0 <= length <= LIMIT:
        raise TooLarge
    return length


@lru_cache(maxsize=256)
def address(text: str) -> str | None:
    """The peer's address, if it is one that every database can hold (no path of a socket, no zone of a link)."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def _refuse(status: int, reason: str, sentence: str) -> Answer:
    receipt.refuse(reason, now=clock.now())
    log.warning("webhook.refused", reason=reason)
    return status, {"error": reason, "detail": sentence}
