"""Who may knock, and how each proves itself. A new source is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from webhooks.verification import MESSAGE_ID, Verdict, check_signature, check_standard

Headers = Mapping[str, str]
Verifier = Callable[[Headers, bytes, Sequence[str]], Verdict]


@dataclass(frozen=True, slots=True)
class Source:
    """``tokens`` and ``secrets`` name the settings that hold them; each may have several while they are rotated.

    ``must_sign``: the token in the address is not enough. ``client_id_header`` is compared with ``client_id`` where
    both are given. ``message_id_header`` carries the sender's own name of an event, the same at each attempt.
    ``how_to_sign`` is told to who did not.
    """

    name: str
    tokens: str
    secrets: str
    verify: Verifier
    how_to_sign: str
    must_sign: bool = False
    client_id_header: str = ""
    client_id: str = ""
    message_id_header: str = ""

    def check(self, headers: Headers, body: bytes) -> Verdict:
        return self.verify(headers, body, getattr(settings, self.secrets))


STAYS = Source(
    "stays", "STAYS_WEBHOOK_TOKENS", "STAYS_WEBHOOK_SECRETS", check_signature, "sign the raw bytes with HMAC-SHA256.",
    client_id_header="x-stays-client-id", client_id="STAYS_CLIENT_ID",
)  # fmt: skip
STANDARD = Source(
    "standard", "STANDARD_WEBHOOKS_TOKENS", "STANDARD_WEBHOOKS_SECRETS", check_standard,
    "sign as Standard Webhooks 1.0 says (v1); webhook-timestamp must be within five minutes of now.",
    must_sign=True, message_id_header=MESSAGE_ID,
)  # fmt: skip
SOURCES = {source.name: source for source in (STAYS, STANDARD)}
