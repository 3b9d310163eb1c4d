"""What a message means: its jobs' rows as plain values, as far as a worker needs them.

A model's instance of a row with 25 columns costs several times what the rest of a short job does (decision 0094).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from scheduler.models import Job


class Due(NamedTuple):
    """A scheduled job as it was when it was looked up. The names are those of the row's columns; times are UTC."""

    pk: int
    version: int
    kind: str
    subject: str
    payload: dict[str, Any]
    queue: str
    exclusive: bool
    due_at: datetime
    run_at: datetime
    expires_at: datetime | None
    attempt: int
    by_hand: str
    last_error: str


def look_up(pairs: Iterable[Sequence[int]]) -> list[Due]:
    """Those of ``[job id, version]`` that are still so, the most urgent first: any move raises the version."""
    versions: dict[int, int] = {pair[0]: pair[1] for pair in pairs}
    rows = Job.objects.filter(pk__in=versions).order_by("priority", "run_at", "pk")
    jobs = map(Due._make, rows.values_list(*Due._fields))
    return [job for job in jobs if job.version == versions[job.pk]]
