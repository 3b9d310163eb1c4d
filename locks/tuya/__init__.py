"""Tuya Cloud: the first brand of lock.

signing.py   how a request is signed            tokens.py    one access token for all processes
crypto.py    how a PIN is encrypted             client.py    one signed call, its cures and its failures
codes.py     what an error code means           decoding.py  JSON -> the values of locks.provider
pace.py      how fast calls may follow          meter.py     how many there were this month
provider.py  the lock calls                     writing.py   how a PIN is written
push.py      what Tuya tells by itself
"""

from __future__ import annotations

from locks.tuya.meter import RedisMeter
from locks.tuya.pace import RedisPace
from locks.tuya.provider import DATA_CENTRES, TuyaProvider, provider_from
from locks.tuya.tokens import MemoryTokenStore, RedisTokenStore, TokenStore

__all__ = [
    "DATA_CENTRES",
    "MemoryTokenStore",
    "RedisMeter",
    "RedisPace",
    "RedisTokenStore",
    "TokenStore",
    "TuyaProvider",
    "provider_from",
]
