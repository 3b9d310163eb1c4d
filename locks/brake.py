"""No more than so many writes to a lock for one PIN and hour, whatever the lock reads back: a loop of set and delete,
which empties a battery and a month's quota in a night, cannot come about.

Only writes that put something there are counted and held; a removal is never held, and goes on for half a year.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from locks.alarms import alarm_once, call
from locks.errors import WaitForDevice
from locks.models import Credential
from locks.store import note

WRITES = 10
HOUR = timedelta(hours=1)


def count_write(credential: Credential, now: datetime) -> dict[str, Any]:
    """What is to be noted together with the next write. Raises WaitForDevice until the hour is over."""
    since = credential.writes_since
    if since is None or now - since >= HOUR:
        return {"writes": 1, "writes_since": now}
    if credential.writes >= WRITES:
        text = (
            f"{credential.lock.name} was written to {WRITES} times within an hour and still does not hold "
            f"the PIN as asked: it is left alone until {since + HOUR:%H:%M} UTC."
        )
        if credential.writes == WRITES:  # once an hour; one more says that it was told
            note(credential, writes=WRITES + 1)
            call(credential, "too_many_writes", text)
        raise WaitForDevice(text, after=(since + HOUR - now).total_seconds(), code="too_many_writes")
    return {"writes": credential.writes + 1, "writes_since": since}


def uncount(credential: Credential) -> None:
    """The lock certainly did not get it: a cloud that is away for hours must not hold a PIN up for another."""
    note(credential, writes=max(0, credential.writes - 1))


def count_pin(credential: Credential, kin: QuerySet[Credential], now: datetime) -> None:
    """The same for digits that a lock refuses one after the other; ``kin`` are all PINs of this holder."""
    if kin.filter(lock=credential.lock_id, created_at__gt=now - HOUR).count() > WRITES:
        text = f"{credential.lock.name} refused the digits of {WRITES} PINs within an hour: it is left alone."
        alarm_once(credential, "too_many_writes", text, now=now)
        raise WaitForDevice(text, after=HOUR.total_seconds(), code="too_many_writes")
