"""How a PIN is written to a lock: a ticket, the encrypted digits, the write.

Code 1109 may be a stale ticket, 2318 a start that has just passed: either is tried once more, with a new ticket.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from locks.errors import Refused, Transient
from locks.provider import NAME_LENGTH, Device, Window
from locks.tuya.client import TuyaClient
from locks.tuya.codes import STALE_TICKET_CODE, WINDOW_PASSED_CODE, is_one_of
from locks.tuya.crypto import encrypt_pin

# A start in the past becomes the present second. A cloud that refuses it, as one that has passed when the call arrives,
# gets one that is still to come by its clock and ours.
ARRIVAL_SECONDS = 2
# Tuya hands out the same ticket until it ends: one about to end is waited out.
TICKET_TOO_SHORT_SECONDS = 3


@dataclass(frozen=True)
class Ticket:
    """Leave to send one encrypted PIN."""

    ticket_id: str = field(repr=False)
    key: str = field(repr=False)
    seconds_left: int


class PinWriter:
    """Sends PINs for one Tuya project."""

    def __init__(self, client: TuyaClient, secret: str) -> None:
        self.client = client
        self._secret = secret

    def send(self, method: str, path: str, device: Device, *, name: str, pin: str, window: Window, what: str) -> object:
        """Send an encrypted PIN, once more if its ticket may have been stale or its start was too early for Tuya."""
        check_name(name, what)
        self.client.admit(2, what=what)
        ahead = 0
        for last_try in (False, True):
            ticket = self._ticket(device)
            body = self._password(ticket, name=name, pin=pin, window=window, ahead=ahead, what=what)
            try:
                return self.client.write(method, path, what=what, body=body)
            except Refused as error:
                too_early = is_one_of(error, {WINDOW_PASSED_CODE})
                if too_early and last_try:
                    # The window is not over, so only our "now" came too late: a fresh one will do.
                    raise Transient(str(error), brand_code=error.brand_code) from error
                if last_try or not (too_early or is_one_of(error, {STALE_TICKET_CODE})):
                    raise
                ahead = ARRIVAL_SECONDS if too_early else 0
        raise AssertionError("unreachable")

    def _ticket(self, device: Device) -> Ticket:
        ticket = self._fetch_ticket(device)
        if ticket.seconds_left < TICKET_TOO_SHORT_SECONDS:
            time.sleep(max(0, ticket.seconds_left) + 0.2)
            ticket = self._fetch_ticket(device)
        return ticket

    def _fetch_ticket(self, device: Device) -> Ticket:
        what = f"Getting a password ticket for {device.device_id}"
        result = self.client.read(f"{lock_path(device)}/password-ticket", what=what, method="POST")
        match result:
            case {"ticket_id": str(ticket_id), "ticket_key": str(key), "expire_time": int(seconds_left)}:
                return Ticket(ticket_id, key, seconds_left)
        raise Transient(f"{what} failed: the answer holds no ticket; it will be tried again.")

    def _password(
        self, ticket: Ticket, *, name: str, pin: str, window: Window, ahead: int, what: str
    ) -> dict[str, object]:
        """A window that has begun begins in this very second: a later one would shut out a guest in house.

        Where Tuya's clock and ours differ, nobody knows by which the lock goes: the earlier is right by both. Tuya may
        take it for one that has passed; then the later counts.
        """
        earlier, later = self.client.clock.span()
        now = math.floor(later) + ahead if ahead else math.floor(earlier)
        starts_at = max(math.ceil(window.starts_at.timestamp()), now)
        ends_at = math.floor(window.ends_at.timestamp())
        if ends_at <= starts_at:
            if earlier < ends_at:
                raise Transient(f"{what} failed: by one of the clocks, Tuya's and ours, its window is over already.")
            raise Refused(f"{what} makes no sense: its window ends at {window.ends_at:%Y-%m-%d %H:%M:%S} UTC.")
        try:
            cipher = encrypt_pin(pin, ticket_key=ticket.key, secret=self._secret)
        except ValueError as error:
            raise Refused(f"{what} failed: {error}; check TUYA_CLIENT_SECRET and the PIN's alphabet.") from None
        return {
            "name": name,
            "password": cipher,
            "password_type": "ticket",
            "ticket_id": ticket.ticket_id,
            "effective_time": starts_at,
            "invalid_time": ends_at,
            "type": 0,
        }


def check_name(name: str, what: str) -> None:
    if not 0 < len(name) <= NAME_LENGTH:
        raise Refused(f"{what} makes no sense: its name needs 1 to {NAME_LENGTH} characters.")


def lock_path(device: Device) -> str:
    return f"/v1.0/devices/{device.device_id}/door-lock"
