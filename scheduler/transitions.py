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

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from scheduler import rows
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
    changes = _changes(target, now, changes)
    return jobs.filter(state__in=sources).update(state=target, version=F("version") + 1, **changes)


def move_sql(name: str, pairs: Iterable[tuple[int, int]], *, now: datetime, **changes: Any) -> tuple[str, list[Any]]:
    """The same as one statement for jobs at the versions they are meant at; it returns the ids of those that moved.

    With its parameters, for the claim and its end: they go with the attempts' rows, and Django would take longer to
    put this into words than the database to do it. ``attempt`` is an addend. The rows are found by their ids:
    ``state || ''`` is in no index, and those that are by state hold whatever else is due or at work in a burst.
    """
    sources, target = TABLE[name]
    attempt = changes.pop("attempt", 0)
    changes = _changes(target, now, changes)
    columns = "".join(f", {column} = %s" for column in changes)
    froms = ", ".join(f"'{source}'" for source in sources)
    sql = (
        f"UPDATE scheduler_job SET state = '{target}', version = version + 1, attempt = attempt + {attempt:d}{columns}"  # noqa: S608
        f" WHERE {meant(pairs)} AND state || '' IN ({froms}) RETURNING id"
    )
    return sql, rows.adapted(changes.values())


def meant(pairs: Iterable[tuple[int, int]]) -> str:
    """The fence as SQL: these jobs, each at its version. Numbers only, so they may stand in the text.

    By version, of which a message has few: PostgreSQL joined a list of pairs to the rows pair by pair.
    """
    ids: dict[int, list[str]] = {}
    for job_id, version in pairs:
        ids.setdefault(version, []).append(f"{job_id:d}")
    fences = (f"version = {version:d} AND id IN ({', '.join(some)})" for version, some in ids.items())
    return f"({' OR '.join(fences)})"


def _changes(target: Job.State, now: datetime, changes: dict[str, Any]) -> dict[str, Any]:
    changes |= {"updated_at": now, "finished_at": None if target in Job.LIVE else now}
    if target != S.RUNNING:
        changes["lease_until"] = None
    if target == S.SCHEDULED:
        changes.setdefault("published_at", None)
    return changes
