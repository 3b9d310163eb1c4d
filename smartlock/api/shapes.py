"""The kinds of value the API takes and gives, as strict as its OpenAPI document says.

Times go out as ISO 8601 in UTC; beside those of a stay stands the time zone of its property. A filter or a field that
may be left out defaults to ``ABSENT``: null is not the same as nothing.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, Self, TypeAlias, TypeVar

from django.db.models import QuerySet
from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from locks.models import Credential
from reservations.models import Reservation
from scheduler.models import Job
from webhooks.models import WebhookEvent

ABSENT: Any = None
LARGEST = 2**63 - 1
DAY = r"2[01]\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
INSTANT = rf"^{DAY}T{CLOCK}:[0-5]\d(\.\d{{1,6}})?(Z|[+-]{CLOCK})$"
T = TypeVar("T")


def _reads(pattern: str, convert: Any, example: str) -> BeforeValidator:
    form = re.compile(pattern.replace(r"\d", "[0-9]"))

    def read(value: object) -> object:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise ValueError(f"write it like {example}")
        return convert(value)

    return BeforeValidator(read)


def _shown(pattern: str, example: str, **more: str) -> WithJsonSchema:
    shown = {"type": "string", "pattern": pattern.replace(r"\d", "[0-9]"), "examples": [example], **more}
    return WithJsonSchema(shown, mode="validation")


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


Instant = Annotated[
    datetime,
    _reads(INSTANT, _utc, "2026-03-05T14:00:00Z, with the offset from UTC"),
    _shown(INSTANT, "2026-03-05T14:00:00Z", format="date-time"),
]
Day = Annotated[
    date, _reads(f"^{DAY}$", date.fromisoformat, "2026-03-05"), _shown(f"^{DAY}$", "2026-03-05", format="date")
]
WallTime = Annotated[
    time, _reads(f"^{CLOCK}$", time.fromisoformat, "15:00, by the property's clock"), _shown(f"^{CLOCK}$", "15:00")
]


def _whole(value: object) -> object:
    """JSON knows one kind of number: 3.0 is a whole one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)
Number = Annotated[int, Field(ge=1, le=LARGEST), Whole]
# No control characters: no database takes a NUL, and no person means the others.
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
Words = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", min_length=1, max_length=100)]
Email = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,10})?$")]
Phone = Annotated[str, StringConstraints(pattern=r"^[0-9+() .-]{0,40}$")]
Language = Annotated[str, StringConstraints(pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,4})?)?$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9@._:~+-]{1,128}$")]
Priority = Annotated[int, Field(ge=1, le=10), Whole]


class Body(Schema):
    """What a caller sends: nothing is guessed, converted or ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Something(Body):
    """A body of optional fields, at least one of which is given."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _is_not_empty(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("give at least one of the fields")
        return self

    def given(self) -> dict[str, Any]:
        """What was sent, and nothing else."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class Filter(Schema):
    """What a list may be narrowed by."""

    limit: Annotated[int, Field(ge=1, le=200, description="at most so many")] = 50
    offset: Annotated[int, Field(ge=0, le=10_000_000, description="leave out so many")] = 0


class Page(Schema, Generic[T]):
    """A part of a list. ``total`` counts all that fit the filter; ``next`` is null on the last page."""

    items: list[T]
    total: int
    limit: int
    offset: int
    next: Annotated[int | None, Field(description="the offset of the next page")]


def page(rows: QuerySet[Any], chosen: Filter) -> tuple[list[Any], dict[str, Any]]:
    """The rows of one page, and what goes beside them into the answer."""
    found = list(rows[chosen.offset : chosen.offset + chosen.limit])
    after = chosen.offset + len(found)
    is_last = len(found) < chosen.limit and (bool(found) or chosen.offset == 0)
    total = after if is_last else rows.order_by().count()  # who has seen the end need not count
    return found, {
        "total": total, "limit": chosen.limit, "offset": chosen.offset,
        "next": after if found and after < total else None,
    }  # fmt: skip


class Done(Schema):
    """How many rows fitted, and how many were changed (none with ``dry_run``)."""

    dry_run: bool
    matched: int
    changed: int


class ProblemBody(Schema):
    """RFC 9457, with what to do."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    what_to_do: str


DryRun = Annotated[bool, Field(description="only count, change nothing")]
# The words of the models themselves; each is written out in the document instead of referred to by its class's name.
if TYPE_CHECKING:
    JobState: TypeAlias = str
    EventState: TypeAlias = str
    StayStatus: TypeAlias = str
    StaySource: TypeAlias = str
    CredentialState: TypeAlias = str
else:
    JobState = Literal[tuple(Job.State.values)]
    EventState = Literal[tuple(WebhookEvent.State.values)]
    StayStatus = Literal[tuple(Reservation.Status.values)]
    StaySource = Literal[tuple(Reservation.Source.values)]
    CredentialState = Literal[tuple(Credential.State.values)]
