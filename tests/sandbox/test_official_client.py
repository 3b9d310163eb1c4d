"""The official client, unmodified, works against the sandbox: token, device, ticket, create, list, delete."""

from __future__ import annotations

import time

from Crypto.Cipher import AES
from Crypto.Util.Padding import pad, unpad
from tuya_connector import TuyaOpenAPI

from tests.sandbox.tuya_caller import CLIENT_ID, SECRET
from tests.sandbox_process import ZIGBEE, RunningSandbox

PIN = "192837"


def test_the_official_client_puts_a_pin_on_a_door_and_takes_it_off(sandbox: RunningSandbox) -> None:
    cloud = TuyaOpenAPI(sandbox.base_url, CLIENT_ID, SECRET)
    assert cloud.connect()["success"]
    assert cloud.get(f"/v1.0/devices/{ZIGBEE}")["result"]["id"] == ZIGBEE
    lock = f"/v1.0/devices/{ZIGBEE}/door-lock"
    ticket = cloud.post(f"{lock}/password-ticket")["result"]
    now = int(time.time())
    wish = {
        "name": "official", "password": encrypted(ticket["ticket_key"]), "password_type": "ticket",
        "ticket_id": ticket["ticket_id"], "effective_time": now + 5, "invalid_time": now + 3600, "type": 0,
    }  # fmt: skip
    number = cloud.post(f"{lock}/temp-password", wish)["result"]["id"]
    assert [row["id"] for row in cloud.get(f"{lock}/temp-passwords", {"valid": "true"})["result"]] == [number]
    assert cloud.delete(f"{lock}/temp-passwords/{number}")["success"]


def encrypted(ticket_key: str) -> str:
    key = unpad(AES.new(SECRET.encode(), AES.MODE_ECB).decrypt(bytes.fromhex(ticket_key)), AES.block_size)
    return AES.new(key, AES.MODE_ECB).encrypt(pad(PIN.encode(), AES.block_size)).hex().upper()
