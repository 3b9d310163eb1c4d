"""Jobs as the API shows them, and how a caller says which ones are meant and what is to become of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from ninja import Schema
from pydantic import Field

from scheduler.models import Job
from smartlock.api.reservations import the
from smartlock.api.shapes import (
    ABSENT,
    Body,
    DryRun,
    Filter,
    Instant,
    JobState,
    Name,
    Number,
    Priority,
    Something,
    Whole,
    Words,
)


class About(Schema):
    """The stay a job is about."""

    id: int
    short_id: str
    guest_name: str
    accommodation: str
    timezone: str


class JobRow(Schema):
    """``due_at``: when it is meant to happen; ``run_at``: when it is tried next."""

    id: int
    kind: str
    subject: str
    queue: str
    state: JobState
    priority: int
    due_at: datetime
    run_at: datetime
    expires_at: datetime | None
    finished_at: datetime | None
    delay_seconds: int
    attempt: int
    max_attempts: int
    last_error: str
    progress: int | None
    progress_text: str
    reservation: About | None


class JobAttempt(Schema):
    number: int
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    lateness_ms: int
    outcome: str
    error_class: str
    error: str
    traceback: str
    worker: str
    by_hand: str


class JobDetail(JobRow):
    payload: dict[str, Any]
    live_key: str
    version: int
    worker: str
    lease_until: datetime | None
    created_at: datetime
    attempts: list[JobAttempt]


class JobWhich(Schema):
    """By what jobs are chosen, in a list and for a change of many."""

    state: list[JobState] = []
    kind: Annotated[Words, Field(description="such as locks.generate_pin")] = ABSENT
    queue: Words = ABSENT
    subject: Annotated[Words, Field(description="such as reservation:17")] = ABSENT
    reservation: Annotated[Name, Field(description="any name of a stay")] = ABSENT
    due_from: Instant = ABSENT
    due_to: Instant = ABSENT

    def rows(self) -> QuerySet[Job]:
        wanted: dict[str, Any] = {
            "state__in": self.state or None, "kind": self.kind, "queue": self.queue, "subject": self.subject,
            "due_at__gte": self.due_from, "due_at__lte": self.due_to,
        }  # fmt: skip
        found = Job.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
        return found.filter(subject=the(self.reservation).subject) if self.reservation else found


class JobFilter(Filter, JobWhich):
    order: Literal["-id", "run_at", "due_at", "-finished_at"] = "-id"


class JobChoice(Something, JobWhich):
    """Which jobs are meant: those that fit all of the fields; at least one is needed."""

    ids: Annotated[list[Number], Field(min_length=1, max_length=1000)] = ABSENT

    def rows(self) -> QuerySet[Job]:
        found = super().rows()
        return found.filter(pk__in=self.ids) if self.ids else found


class Many(Body):
    filter: JobChoice
    dry_run: DryRun = False


class At(Body):
    at: Annotated[Instant, Field(description="when it is to be done instead")]


class Rank(Body):
    priority: Annotated[Priority, Field(description="1 (high) to 10 (low)")]


class ManyAt(Many, At):
    pass


class ManyRank(Many, Rank):
    pass


class ManyRetry(Many):
    spread_minutes: Annotated[int, Field(ge=0, le=10_080, description="lay the tries evenly over so long"), Whole] = 0
