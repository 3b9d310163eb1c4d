"""Writes the rows of new jobs: one INSERT for some, one for a portion of many. A live key that is taken is an answer.

In SQL, because a savepoint around each INSERT and the way through Django's models took most of the time of both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from scheduler import prepared
from scheduler.models import Job
from scheduler.publisher import Message

Row = dict[str, Any]  # a job's values by column, in the order of BLANK, without an id
BLANK: Row = {field.attname: field.get_default() for field in Job._meta.concrete_fields if not field.primary_key}
COLUMNS = tuple(BLANK)
PAYLOAD = COLUMNS.index("payload")
TABLE = Job._meta.db_table
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


def insert(new: Sequence[Row]) -> dict[str, int]:
    """Write them in one statement; returns their ids by live key, of which several need one of their own each.

    A row whose live key another live job has is left out.
    """
    values = [_values(row) for row in new]
    return dict(prepared.insert(TABLE, COLUMNS, values, "ON CONFLICT DO NOTHING RETURNING live_key, id"))


def as_job(row: Row, job_id: int) -> Job:
    """The row that was written, as if read."""
    return Job.from_db(connection.alias, ["id", *row], [job_id, *row.values()])


def message(row: Row, job_id: int) -> Message:
    """What ``Message.of`` makes of the row's job."""
    return Message(row["kind"], row["queue"], row["priority"], row["run_at"], ((job_id, row["version"]),))


def insert_many(alike: Row, own: Sequence[dict[str, Any]]) -> None:
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


def _values(row: Row) -> list[Any]:
    values = adapted(row.values())
    values[PAYLOAD] = json.dumps(row["payload"])
    return values
