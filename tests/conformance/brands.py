"""The brands that are held to the contract. A new one is added with one line here (docs/providers.md)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.conformance.memory_brand import memory_street
from tests.conformance.suite import Street
from tests.conformance.tuya_street import tuya_street

BRANDS: dict[str, Callable[[], AbstractContextManager[Street]]] = {
    "tuya": tuya_street,
    "memory": memory_street,
}
