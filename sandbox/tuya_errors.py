"""Tuya's error codes that the sandbox answers with, and their texts."""

from __future__ import annotations

TEXTS = {
    500: "system error, please contact the admin",
    1003: "grant type invalid",
    1004: "sign invalid",
    1005: "clientId invalid",
    1010: "token invalid",
    1013: "request time is invalid",
    1100: "param is empty",
    1105: "missing the header",
    1108: "uri path invalid",
    1109: "param is illegal, please check it",
    1114: "your ip does not have permission, please contact the developer to add the ip white list",
    1199: "your requests are too frequent",
    2001: "device is offline",
    2003: "function not support",
    2010: "the device does not exist",
    2303: "the number of passwords reached the limit",
    2304: "the password is expired",
    2310: "the password of the zigbee lock not found",
    2312: "the lock is not online",
    2316: "the password name can not repeat",
    2317: "the gateway is busy updating another sub-device",
    2318: "the effective time or invalid time is earlier than now",
    2321: "the password of the wifi lock not found",
    2322: "the password of the wifi lock can not be repeated",
    # Tuya publishes this trouble by its name only: the number is made up.
    2398: "OFFLINE_PWD_EXAUST_IN_PERIOD",
    2324: "the status of the password does not allow the operation",
    28841004: "your trial edition quota is used up, please upgrade to the official edition",
}


class TuyaError(Exception):
    """A refusal Tuya answers with HTTP 200 and `success: false`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code} {TEXTS[code]}")
        self.code = code
        self.text = TEXTS[code]
