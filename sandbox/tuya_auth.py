"""Who may call the pretend Tuya cloud: headers, client id, clock, signature, token, in Tuya's order; and tickets."""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox import tuya_crypto
from sandbox.tuya_errors import TuyaError
from sandbox.tuya_signature import named_headers, sign, signed_url, string_to_sign

CLOCK_TOLERANCE_SECONDS = 300
TOKEN_SECONDS = 7200
TICKET_SECONDS = 360
ALWAYS_NEEDED = ("client_id", "sign", "sign_method", "t")


@dataclass(frozen=True)
class SignedRequest:
    """The parts of an HTTP request that Tuya signs."""

    method: str
    path: str
    query: str
    body: bytes
    header: Callable[[str], str]


@dataclass(frozen=True)
class Grant:
    access_token: str
    refresh_token: str
    expires_at: float


@dataclass(frozen=True)
class Ticket:
    device_id: str
    key: bytes
    expires_at: float


@dataclass
class Gate:
    """Credentials of the one project, and the tokens and tickets handed out since start."""

    client_id: str
    secret: str
    uid: str = "ay1600000000000sandb"
    grants: list[Grant] = field(default_factory=list)
    tickets: dict[str, Ticket] = field(default_factory=dict)

    def check_signature(self, request: SignedRequest, cloud_now: float, *, with_token: bool) -> None:
        header = request.header
        needed = (*ALWAYS_NEEDED, "access_token") if with_token else ALWAYS_NEEDED
        if any(not header(name) for name in needed):
            raise TuyaError(1105)
        if header("client_id") != self.client_id:
            raise TuyaError(1005)
        _check_clock(header("t"), cloud_now)
        if not hmac.compare_digest(header("sign").encode(), self._expected(request, with_token).encode()):
            raise TuyaError(1004)

    def _expected(self, request: SignedRequest, with_token: bool) -> str:
        header = request.header
        signed = named_headers(header("Signature-Headers"), header)
        url = signed_url(request.path, request.query)
        return sign(
            client_id=self.client_id,
            secret=self.secret,
            t=header("t"),
            text=string_to_sign(request.method, url, request.body, signed),
            access_token=header("access_token") if with_token else "",
            nonce=header("nonce"),
        )

    def check_token(self, token: str, now: float) -> None:
        if not any(grant.access_token == token and now < grant.expires_at for grant in self.grants):
            raise TuyaError(1010)

    def revoke(self, token: str) -> None:
        self.grants = [grant for grant in self.grants if grant.access_token != token]

    def new_token(self, now: float, *, only_one: bool) -> dict[str, object]:
        if only_one:
            self.grants.clear()
        self.grants = [grant for grant in self.grants if now < grant.expires_at]
        grant = Grant(secrets.token_hex(16), secrets.token_hex(16), now + TOKEN_SECONDS)
        self.grants.append(grant)
        return {
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "expire_time": TOKEN_SECONDS,
            "uid": self.uid,
        }

    def refresh(self, refresh_token: str, now: float) -> dict[str, object]:
        """A refresh token works once and takes its access token with it."""
        old = next((grant for grant in self.grants if grant.refresh_token == refresh_token), None)
        if old is None:
            raise TuyaError(1010)
        self.grants.remove(old)
        return self.new_token(now, only_one=False)

    def new_ticket(self, device_id: str, now: float, seconds: float) -> dict[str, object]:
        self.tickets = {key: ticket for key, ticket in self.tickets.items() if now < ticket.expires_at}
        ticket_id = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))
        key = secrets.token_hex(8).encode()
        self.tickets[ticket_id] = Ticket(device_id, key, now + seconds)
        wrapped = tuya_crypto.wrap_ticket_key(key, self.secret)
        return {"ticket_id": ticket_id, "ticket_key": wrapped, "expire_time": int(seconds)}

    def open_pin(self, ticket_id: str, cipher: str, device_id: str, now: float) -> str:
        """Tuya says the bare 1109 for every trouble with a ticket or its cipher."""
        ticket = self.tickets.get(ticket_id)
        if ticket is None or ticket.device_id != device_id or now >= ticket.expires_at:
            raise TuyaError(1109)
        try:
            return tuya_crypto.decrypt_pin(cipher, ticket.key)
        except ValueError:
            raise TuyaError(1109) from None


def _check_clock(t: str, cloud_now: float) -> None:
    if not t.isdigit() or abs(int(t) / 1000 - cloud_now) > CLOCK_TOLERANCE_SECONDS:
        raise TuyaError(1013)
