"""What Tuya's error codes mean for us: which class to raise, in which words.

Tuya answers HTTP 200 with ``success: false`` and a code; the code decides. Its own ``msg`` is not passed on, because
nobody promises what it may quote. Codes that are cured inside the client (token, clock) are named apart: they only
reach ``error_for`` when the cure did not help.
"""

from __future__ import annotations

from dataclasses import dataclass

from locks.errors import (
    AccountBroken,
    Capacity,
    Configuration,
    DoorError,
    NameTaken,
    NotFound,
    PinTaken,
    Refused,
    Transient,
    UnknownOutcome,
    Unsupported,
    WaitForDevice,
)

TOKEN_CODES = frozenset({1010, 1011, 1012, 1400})
CLOCK_CODE = 1013
STALE_TICKET_CODE = 1109
WINDOW_PASSED_CODE = 2318
# The write was turned down because of the PIN's present state: a reading tells whether there is anything left to do.
CONFLICT_CODES = frozenset({2306, 2324})
# "System error / timeout": the only listed code after which a write may have happened all the same.
SYSTEM_ERROR_CODE = 500
# What says something about the cloud, not about the lock: whoever asks next gets the same answer.
CLOUD_CODES = frozenset({SYSTEM_ERROR_CODE, 1199})

# "This API is not in your subscription": a single API may be missing while all others work.
NOT_SUBSCRIBED_CODES = frozenset({28841101, 28841102, 28841105, 28841106})

SLOW_DOWN_SECONDS = 10.0
GATEWAY_QUEUE_SECONDS = 60.0


@dataclass(frozen=True)
class Verdict:
    """What a code means: the error to raise, why and what to do, and how long to hold back."""

    error: type[DoorError]
    meaning: str
    after: float | None = None


def error_for(code: int, *, what: str, tid: str, write: bool, msg: str = "", essential: bool = True) -> DoorError:
    """The exception for a refused call. ``what`` names the action and the place, ``tid`` is Tuya's trace id.

    ``msg`` is only searched for words we know. What is not ``essential`` (logs, say) may be missing from the plan.
    """
    verdict = verdict_on(code, write=write, msg=msg)
    if code in NOT_SUBSCRIBED_CODES and not essential:
        verdict = Verdict(Configuration, verdict.meaning)
    text = f"{what} failed: {verdict.meaning} (Tuya code {code}, tid {tid or 'none'})."
    error = verdict.error(text, after=verdict.after, brand_code=f"tuya_{code}")
    error.of_cloud = code in CLOUD_CODES
    return error


def verdict_on(code: int, *, write: bool, msg: str = "") -> Verdict:
    known = _VERDICTS.get(code) or next((verdict for word, verdict in _WORDS.items() if word in msg), None)
    if known is None and str(code).startswith("28841"):
        known = _PLAN
    if known is not None and not (write and code == SYSTEM_ERROR_CODE):
        return known
    if write:
        return Verdict(UnknownOutcome, "it is not clear whether it was carried out, read the lock before writing again")
    return Verdict(Transient, "Tuya gave a code this program does not know, it will be tried again")


_PLAN = Verdict(AccountBroken, "the Tuya cloud plan or its authorisation does not cover this call, check the plan")
_CONFIG = "check client id, secret and data centre of the Tuya project"
_BUG = "the request is not built as Tuya wants it, report this as a bug"
_BUSY = "Tuya is busy, it will be tried again"
_GATEWAY = "the gateway is busy, it will be tried again"
_OFFLINE = "the lock or its gateway is offline, it will be tried again in some minutes"
_FULL = "the lock holds no more PINs, remove expired ones"
_CANNOT = "this kind of lock does not support it"
_GONE = "the PIN is not there (any more)"
_TOKEN = "the access token was refused twice, another program may be using the same Tuya project"

_VERDICTS: dict[int, Verdict] = {
    # system
    500: Verdict(Transient, "Tuya had an internal error, it will be tried again"),
    1000: Verdict(Refused, "Tuya has no such data, check the device id"),
    1001: Verdict(AccountBroken, _CONFIG),
    1002: Verdict(Configuration, _BUG),
    1003: Verdict(Configuration, _BUG),
    1004: Verdict(AccountBroken, f"the signature was refused, {_CONFIG}"),
    1005: Verdict(AccountBroken, f"the client id is unknown, {_CONFIG}"),
    1006: Verdict(Configuration, _BUG),
    1008: Verdict(Configuration, _CONFIG),
    1010: Verdict(Transient, _TOKEN),
    1011: Verdict(Transient, _TOKEN),
    1012: Verdict(Transient, _TOKEN),
    1013: Verdict(Transient, "Tuya refused the time of the request twice, check this machine's clock"),
    1100: Verdict(Refused, _BUG),
    1101: Verdict(Refused, _BUG),
    1102: Verdict(Refused, _BUG),
    1103: Verdict(Transient, "the command could not be issued, it will be tried again"),
    1104: Verdict(Refused, _BUG),
    1105: Verdict(Configuration, _BUG),
    1106: Verdict(Configuration, "permission denied, link the device to the project and check the data centre"),
    1107: Verdict(Refused, _BUG),
    1108: Verdict(Configuration, _BUG),
    1109: Verdict(Refused, "Tuya calls a parameter illegal, check PIN length, secret and whether this lock takes PINs"),
    1110: Verdict(Transient, _BUSY),
    1111: Verdict(Transient, _BUSY),
    1112: Verdict(Transient, _BUSY),
    1113: Verdict(Transient, _BUSY),
    1114: Verdict(AccountBroken, "this server's address is not on the project's allow list"),
    1199: Verdict(Transient, "requests come too fast, it will be tried again more slowly", SLOW_DOWN_SECONDS),
    1400: Verdict(Transient, _TOKEN),
    # device
    2001: Verdict(WaitForDevice, _OFFLINE),
    2003: Verdict(Unsupported, _CANNOT),
    2004: Verdict(Unsupported, _CANNOT),
    2007: Verdict(Configuration, "the device belongs to another region or its token expired, check the data centre"),
    2008: Verdict(Unsupported, _CANNOT),
    2009: Verdict(Unsupported, _CANNOT),
    2010: Verdict(Refused, "Tuya does not know this device, check the device id"),
    2017: Verdict(Refused, "Tuya has no description of this device, check the device id"),
    2018: Verdict(Refused, "Tuya could not decrypt the PIN, check the secret"),
    2019: Verdict(Refused, "the time spans more than two hours"),
    # lock
    2301: Verdict(Refused, "the PIN was not confirmed"),
    2302: Verdict(Refused, "Tuya could not decrypt the PIN, check the secret"),
    2303: Verdict(Capacity, _FULL),
    2304: Verdict(Refused, "the PIN has expired"),
    2305: Verdict(Capacity, _FULL),
    2306: Verdict(UnknownOutcome, "the PIN's present state does not allow it, read it again before writing"),
    2307: Verdict(Capacity, _FULL),
    2308: Verdict(Capacity, _FULL),
    2309: Verdict(Refused, "the phone number is malformed"),
    2310: Verdict(NotFound, _GONE),
    2311: Verdict(Transient, "many PINs are waiting for the gateway, it will be tried again", GATEWAY_QUEUE_SECONDS),
    2312: Verdict(WaitForDevice, _OFFLINE),
    2313: Verdict(Transient, "the lock is starting up, it will be tried again"),
    2314: Verdict(Refused, "Tuya reports the PIN as faulty"),
    2315: Verdict(Refused, "there is no effective PIN"),
    2316: Verdict(NameTaken, "a PIN of this name is already on the lock, adopt it or choose another name"),
    2317: Verdict(Transient, _GATEWAY),
    2318: Verdict(Refused, "the window lies in the past"),
    2319: Verdict(Refused, "the SMS balance is used up"),
    2320: Verdict(Refused, "the SMS balance is used up"),
    2321: Verdict(NotFound, _GONE),
    2322: Verdict(PinTaken, "these digits are already in use on the lock, choose others"),
    2323: Verdict(NotFound, _GONE),
    2324: Verdict(UnknownOutcome, "the PIN's present state does not allow it, read it again before writing"),
    2328: Verdict(Transient, _GATEWAY),
    40000309: Verdict(Transient, "requests come too fast, it will be tried again more slowly", SLOW_DOWN_SECONDS),
}
# Troubles that Tuya's documents know by name only; their numbers are not published.
_WORDS: dict[str, Verdict] = {
    "OFFLINE_PWD_EXAUST_IN_PERIOD": Verdict(Capacity, "no more offline codes can be had for this period"),
    "OFFLINE_PWD_NAME_REPEAT": Verdict(NameTaken, "an offline code of this name exists, choose another name"),
    "LOCK_PWD_NAME_REPEAT": Verdict(NameTaken, "a PIN of this name is already on the lock, adopt it or rename"),
    "USER_PWD_ALREADY_EXIST": Verdict(PinTaken, "these digits are already in use on the lock, choose others"),
    "START_END_DATE_NOT_RIGHT": Verdict(Refused, "the window is not one this lock takes"),
    "RECORD_NOT_EXIST": Verdict(NotFound, _GONE),
}


def is_one_of(error: DoorError, codes: frozenset[int] | set[int]) -> bool:
    return error.brand_code in {f"tuya_{code}" for code in codes}
