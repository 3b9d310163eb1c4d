"""Writes the rows of new jobs: one INSERT for some, one for a portion of many. A live key that is taken is an answer.

In SQL, because a savepoint around each INSERT and the way through Django's models took most of the time of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from django.db import connection

from scheduler import prepared
from scheduler.models import Job

COLUMNS = tuple(field.attname for field in Job._meta.concrete_fields if not field.primary_key)
PAYLOAD = COLUMNS.index("payload")
values_of = attrgetter(*COLUMNS)
TABLE = Job._meta.db_table
BLANK = {field.attname: field.get_default() for field in Job._meta.concrete_fields}  # in the order of the fields
INSERT = f"INSERT INTO {TABLE} ({', '.join(COLUMNS)})"
# What differs between many jobs of a kind, handed over as a JSON list of objects.
OWN = {
    "subject": "text", "live_key": "text", "payload": "jsonb", "priority": "smallint", "due_at": "timestamptz",
    "run_at": "timestamptz", "expires_at": "timestamptz",
}  # fmt: skip
LISTED = {
    "postgresql": f"jsonb_to_recordset(%s::jsonb) AS one ({', '.join(f'{name} {type}' for name, type in OWN.items())})",
    "sqlite": "json_each(%s) AS one",
}
FIELD = {"postgresql": "one.{}", "sqlite": "one.value ->> '$.{}'"}


def new(**given: Any) -> Job:
    """``Job(**given)``, in half the time: given by name, each value is looked for among those of all fields."""
    values: Any = (BLANK | given).values()
    return Job(*values)


def insert(jobs: Sequence[Job]) -> None:
    """Write the rows in one statement, and give the jobs their ids. Of several each needs a live key of its own.

    A job whose live key another live one has is left out, and stays without an id.
    """
    values = [_values(job) for job in jobs]
    ids = dict(prepared.insert(TABLE, COLUMNS, values, "ON CONFLICT DO NOTHING RETURNING live_key, id"))
    for job in jobs:
        if job.live_key in ids:
            job.pk, job._state.adding, job._state.db = ids[job.live_key], False, connection.alias


def insert_many(alike: Job, own: Sequence[dict[str, Any]]) -> None:
    """Rows like this one but for what is their ``OWN``; those whose live key is taken are left out."""
    field = FIELD[connection.vendor]
    columns = ", ".join(field.format(column) if column in OWN else "%s" for column in COLUMNS)
    common = [value for column, value in zip(COLUMNS, _values(alike), strict=True) if column not in OWN]
    # WHERE: without it SQLite takes ON for a part of the FROM.
    sql = f"{INSERT} SELECT {columns} FROM {LISTED[connection.vendor]} WHERE true ON CONFLICT DO NOTHING"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*common, json.dumps(own, default=lambda value: str(*adapted([value])))])


def adapted(values: Iterable[Any]) -> list[Any]:
    """Moments as the database keeps them: SQLite compares them as text, so all must be written alike."""
    if connection.vendor == "postgresql":
        return list(values)
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in values]


def array(values: Iterable[int | datetime]) -> str:
    """An array as PostgreSQL reads it: numbers and moments need no quotes, and psycopg would quote each by itself."""
    return f"{{{','.join(map(str, values))}}}"


def _values(job: Job) -> list[Any]:
    values = adapted(values_of(job))
    values[PAYLOAD] = json.dumps(job.payload)
    return values
