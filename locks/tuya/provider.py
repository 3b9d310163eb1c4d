"""A Tuya project as a LockProvider: which calls make up a PIN's life.

create / change    ticket, encrypt, write (writing.py)
delete             write; already gone or on its way out is fine
read / list        one call; what comes back is decoded by radio (decoding.py)

Each operation first asks for the calls it is made of (pace.py); what it needs beyond them is drawn on top.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import httpx

from locks.errors import Configuration, DoorError, NotFound, Refused, Transient, UnknownOutcome
from locks.provider import (
    Capabilities,
    Device,
    DeviceReading,
    DoorAlarm,
    DoorOpening,
    OfflineCode,
    PinReading,
    PinState,
    Window,
)
from locks.tuya import decoding
from locks.tuya.client import TuyaClient
from locks.tuya.codes import CONFLICT_CODES, is_one_of
from locks.tuya.crypto import SECRET_LENGTH
from locks.tuya.meter import Meter
from locks.tuya.pace import Pace
from locks.tuya.tokens import TokenStore
from locks.tuya.writing import PinWriter, check_name, lock_path

DATA_CENTRES = {
    "cn": "https://openapi.tuyacn.com",
    "us": "https://openapi.tuyaus.com",
    "ueaz": "https://openapi-ueaz.tuyaus.com",
    "eu": "https://openapi.tuyaeu.com",
    "weaz": "https://openapi-weaz.tuyaeu.com",
    "in": "https://openapi.tuyain.com",
    "sg": "https://openapi-sg.iotbing.com",
}

LOG_LINES_PER_PAGE = 100
# A guard against a server that never says "no more"; far more than a door opens between two looks.
LOG_PAGES = 50
HOUR = timedelta(hours=1)
# A code for several uses is void when it was not used within a day, of its making or of its start: pages differ.
CAN_DO = Capabilities(offline_codes=True, offline_codes_ahead=timedelta(hours=24))


class TuyaProvider:
    """Implements ``locks.provider.LockProvider`` for one Tuya project."""

    def __init__(self, client: TuyaClient, client_secret: str) -> None:
        self.client = client
        self._writer = PinWriter(client, client_secret)

    def capabilities(self, device: Device) -> Capabilities:
        return CAN_DO

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        what = f"Creating a PIN on {device.device_id}"
        path = f"{lock_path(device)}/temp-password"
        result = self._writer.send("POST", path, device, name=name, pin=pin, window=window, what=what)
        ref = decoding.pin_ref(result)
        if ref is None:
            raise UnknownOutcome(f"{what} was accepted without a reference; look for it by name before writing again.")
        return ref

    def read_pin(self, device: Device, ref: str) -> PinReading:
        path = f"{lock_path(device)}/temp-password/{_checked(ref)}"
        what = f"Reading PIN {ref} on {device.device_id}"
        self.client.admit(1, what=what)
        try:
            row = self.client.read(path, what=what)
        except NotFound as error:
            return PinReading(ref, "", PinState.GONE, None, error.brand_code)
        if not isinstance(row, dict):
            return PinReading(ref, "", PinState.UNKNOWN, None, "unreadable answer")
        return decoding.pin_reading(row, ref, device.radio)

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        what = f"Listing the PINs on {device.device_id}"
        self.client.admit(1, what=what)
        result = self.client.read(
            f"{lock_path(device)}/temp-passwords", what=what, query={"valid": "false" if expired else "true"}
        )
        rows = decoding.rows(result, "list", "records")
        refs = [decoding.pin_ref(row) for row in rows or []]
        if rows is None or None in refs:
            # A PIN we cannot see is not a PIN that is not there.
            raise Transient(f"{what} failed: the answer cannot be read; it will be tried again.")
        readings = [decoding.pin_reading(row, str(ref), device.radio) for row, ref in zip(rows, refs, strict=True)]
        return [reading for reading in readings if reading.state is not PinState.GONE]

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        what = f"Changing PIN {ref} on {device.device_id}"
        path = f"{lock_path(device)}/temp-passwords/{_checked(ref)}/modify-password"
        result = self._writer.send("PUT", path, device, name=name, pin=pin, window=window, what=what)
        _must_not_be_false(result, what)

    def delete_pin(self, device: Device, ref: str) -> None:
        what = f"Removing PIN {ref} from {device.device_id}"
        path = f"{lock_path(device)}/temp-passwords/{_checked(ref)}"
        self.client.admit(1, what=what)
        try:
            result = self.client.write("DELETE", path, what=what)
        except NotFound:
            return
        except DoorError as error:
            if not is_one_of(error, CONFLICT_CODES) or not self._is_leaving(device, ref):
                raise
            return
        _must_not_be_false(result, what)

    def read_device(self, device: Device) -> DeviceReading:
        what = f"Reading {device.device_id}"
        self.client.admit(1, what=what)
        row = self.client.read(f"/v1.0/devices/{device.device_id}", what=what)
        if not isinstance(row, dict):
            raise Transient(f"{what} failed: the answer cannot be read; it will be tried again.")
        return decoding.device_reading(row, self.client.clock.now())

    def openings(self, device: Device, since: datetime, until: datetime) -> list[DoorOpening]:
        # Tuya's example shows seconds, working clients send milliseconds.
        times = {
            "start_time": str(int(since.timestamp() * 1000)),
            "end_time": str(int(until.timestamp() * 1000)),
        }
        entries = self._log(device, "open-logs", since, times, f"Reading the openings of {device.device_id}")
        found = [opening for entry in entries for opening in decoding.door_openings(entry, device)]
        return sorted((one for one in found if since <= one.at < until), key=lambda one: one.at)

    def alarms(self, device: Device, since: datetime, until: datetime) -> list[DoorAlarm]:
        codes = {"codes": ",".join(decoding.ALARM_CODES)}
        entries = self._log(device, "alarm-logs", since, codes, f"Reading the alarms of {device.device_id}")
        found = [alarm for entry in entries for alarm in decoding.door_alarms(entry)]
        return sorted((one for one in found if since <= one.at < until), key=lambda one: one.at)

    def create_offline_code(self, device: Device, *, name: str, window: Window) -> OfflineCode:
        what = f"Making an offline code for {device.device_id}"
        check_name(name, what)
        starts_at, ends_at = _whole_hours(window, self.client.clock.now(), what)
        body: dict[str, object] = {
            "name": name,
            "type": "multiple",
            "effective_time": int(starts_at.timestamp()),
            "invalid_time": int(ends_at.timestamp()),
        }
        path = f"/v1.1/devices/{device.device_id}/door-lock/offline-temp-password"
        self.client.admit(1, what=what)
        # A read in this sense: a code whose answer was lost is known to nobody, so asking again does no harm.
        result = self.client.read(path, what=what, method="POST", body=body, essential=False)
        code = decoding.offline_code(result)
        if code is None:
            raise Transient(f"{what} failed: the answer holds no code; it will be tried again.")
        return code

    def _log(self, device: Device, log: str, since: datetime, query: dict[str, str], what: str) -> list[decoding.Json]:
        """A log's entries page by page, newest first, until a page lies before ``since``."""
        self.client.admit(1, what=what)
        found: list[decoding.Json] = []
        for page in range(1, LOG_PAGES + 1):
            pages = {"page_no": str(page), "page_size": str(LOG_LINES_PER_PAGE)}
            result = self.client.read(f"{lock_path(device)}/{log}", what=what, query=query | pages, essential=False)
            entries = decoding.rows(result, "logs", "list", "records")
            if entries is None:
                raise Transient(f"{what} failed: the answer cannot be read; it will be tried again.")
            found += entries
            told = result.get("total") if isinstance(result, dict) else None
            total = told if isinstance(told, int) else len(entries)
            moments = [at for entry in entries if (at := decoding.moment(entry.get("update_time")))]
            if page * LOG_LINES_PER_PAGE >= total or all(at < since for at in moments):
                break
        return found

    def _is_leaving(self, device: Device, ref: str) -> bool:
        return self.read_pin(device, ref).state in (PinState.GONE, PinState.REMOVING)


def provider_from(
    base_url: str,
    client_id: str,
    client_secret: str,
    token_store: TokenStore,
    *,
    transport: httpx.BaseTransport | None = None,
    pace: Pace | None = None,
    meter: Meter | None = None,
) -> TuyaProvider:
    """A provider for the Tuya project of these credentials. ``base_url`` is a URL or a key of ``DATA_CENTRES``."""
    url = DATA_CENTRES.get(base_url.strip().lower(), base_url.strip())
    if not re.match(r"https?://[^/]", url):
        known = ", ".join(DATA_CENTRES)
        raise Configuration(f"TUYA_BASE_URL is neither a URL nor one of {known}.", brand_code="tuya_base_url")
    if not client_id:
        raise Configuration("TUYA_CLIENT_ID is empty.", brand_code="tuya_client_id")
    if len(client_secret.encode()) != SECRET_LENGTH:
        message = f"TUYA_CLIENT_SECRET must have {SECRET_LENGTH} characters: it is also the key that encrypts PINs."
        raise Configuration(message, brand_code="tuya_client_secret")
    client = TuyaClient(url, client_id, client_secret, token_store, transport=transport, pace=pace, meter=meter)
    return TuyaProvider(client, client_secret)


def _whole_hours(window: Window, now: datetime, what: str) -> tuple[datetime, datetime]:
    """As Tuya cuts it: both ends down to the full hour."""
    starts_at, ends_at = (
        moment.replace(minute=0, second=0, microsecond=0) for moment in (max(window.starts_at, now), window.ends_at)
    )
    if starts_at - now > CAN_DO.offline_codes_ahead:
        raise Refused(
            f"{what} is too early: it must be used within a day of its making, so make it on the day of arrival.",
            brand_code="offline_too_early",
        )
    if ends_at - starts_at < HOUR:
        raise Refused(f"{what} makes no sense: offline codes count in full hours, and its window holds none.")
    return starts_at, ends_at


def _checked(ref: str) -> str:
    """A reference becomes part of a path: nothing else may."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", ref):
        raise Refused(f"{ref!r} is not a reference to a Tuya PIN.")
    return ref


def _must_not_be_false(result: object, what: str) -> None:
    if result is False:
        raise UnknownOutcome(f"{what} was answered with success and false; read the lock before writing again.")
