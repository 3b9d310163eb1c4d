"""The ends of what may be asked for: numbers that a database just holds or no longer does, the first and last moments.

The fuzzing asks all that and more of PostgreSQL; here is what SQLite would take amiss and PostgreSQL would not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from reservations.models import Reservation
from smartlock.api.root import api as the_api
from tests.api.conftest import Caller

DOCUMENT: dict[str, Any] = the_api.get_openapi_schema()
LARGEST = 2**63 - 1  # what either database holds
NUMBERS = [LARGEST, LARGEST + 1, -LARGEST - 2, 10**30]
TEXTS = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2199-12-31T23:59:59-14:00", "9999-12-31", 10**30]
READS = [path for path, operations in DOCUMENT["paths"].items() if "get" in operations]


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all that it is made of."""
    if isinstance(schema, list):
        for one in schema:
            yield from parts(one)
    elif isinstance(schema, dict):
        if "$ref" in schema:
            yield from parts(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        yield schema
        yield from (part for value in schema.values() for part in parts(value))


def asked() -> Iterator[dict[str, Any]]:
    """The schemas of everything that a caller may send."""
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            yield from parts(operation.get("parameters", []))
            yield from parts(operation.get("requestBody", {}))


def test_no_number_or_moment_that_may_be_sent_is_without_an_end() -> None:
    """What is written is bounded before it comes to a database, whichever it is."""
    numbers = [part for part in asked() if part.get("type") == "integer"]
    moments = [part for part in asked() if part.get("format") in ("date", "date-time")]
    assert len(numbers) > 50
    assert len(moments) > 10
    assert [part for part in numbers if not -LARGEST <= part["minimum"] <= part["maximum"] <= LARGEST] == []
    assert [part for part in moments if not part["pattern"].startswith("^2[01][0-9][0-9]-")] == []


@pytest.mark.parametrize("path", READS)
def test_whatever_is_looked_for_is_answered(api: Caller, stay: Reservation, unhurried: None, path: str) -> None:
    parameters = [one for one in DOCUMENT["paths"][path]["get"]["parameters"] if one["in"] in ("path", "query")]
    for parameter in parameters:
        is_number = parameter["schema"].get("type") == "integer"
        for value in NUMBERS if is_number else TEXTS:
            address = filled_in(path, parameter, quote(str(value)), stay)
            answer = api.get(address.removeprefix("/api/"))
            assert answer.status in (200, 404, 422), f"{address}: {answer.json}"


def filled_in(path: str, parameter: dict[str, Any], value: str, stay: Reservation) -> str:
    """The path with this value at its place, and with something real at the others."""
    known = {"reference": stay.short_id, "name": "pins", "slug": "read-doors"}
    if parameter["in"] == "path":
        known[parameter["name"]] = value
    words = [known.get(word[1:-1], "1") if word.startswith("{") else word for word in path.split("/")]
    return "/".join(words) + (f"?{parameter['name']}={value}" if parameter["in"] == "query" else "")
