"""Every change of a job's state, in one table. Nothing else in the code base writes ``Job.state``.

| move     | from               | to        | who                            | a crash just before leaves          |
|----------|--------------------|-----------|--------------------------------|-------------------------------------|
| claim    | scheduled          | running   | runner, when it is due         | scheduled; the message comes again  |
| succeed  | running            | succeeded | runner                         | running; rescue returns it          |
| put_back | running, scheduled | scheduled | runner (retry, wait), rescue   | running; rescue returns it          |
| fail     | running, scheduled | failed    | runner, rescue                 | running; rescue returns it          |
| cancel   | scheduled, running | cancelled | plan, operator                 | as it was                           |
| move     | scheduled          | scheduled | plan, operator (reschedule)    | as it was                           |
| revive   | failed, cancelled  | scheduled | operator (retry)               | as it was                           |

Each is one conditional UPDATE that raises ``version``; whoever comes second changes no row and knows it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from scheduler.models import Job

S = Job.State
TABLE: dict[str, tuple[tuple[Job.State, ...], Job.State]] = {
    "claim": ((S.SCHEDULED,), S.RUNNING),
    "succeed": ((S.RUNNING,), S.SUCCEEDED),
    "put_back": ((S.RUNNING, S.SCHEDULED), S.SCHEDULED),
    "fail": ((S.RUNNING, S.SCHEDULED), S.FAILED),
    "cancel": ((S.SCHEDULED, S.RUNNING), S.CANCELLED),
    "move": ((S.SCHEDULED,), S.SCHEDULED),
    "revive": ((S.FAILED, S.CANCELLED), S.SCHEDULED),
}


def move(jobs: QuerySet[Job], name: str, *, now: datetime, **changes: Any) -> int:
    """Make the named move on those of ``jobs`` that may make it; returns how many did."""
    sources, target = TABLE[name]
    changes["finished_at"] = None if target in Job.LIVE else now
    if target != S.RUNNING:
        changes["lease_until"] = None
    if target == S.SCHEDULED:
        changes.setdefault("published_at", None)
    return jobs.filter(state__in=sources).update(state=target, version=F("version") + 1, updated_at=now, **changes)
