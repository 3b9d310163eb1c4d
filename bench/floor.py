"""The floor: the same rows written by bare SQL, `python -m bench.floor one-by-one|in-bulk COUNT`."""

from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

FAR = timedelta(days=30)
STAY = """INSERT INTO reservations_reservation
  (source, external_id, short_id, partner_code, accommodation_id, status, check_in_date, check_out_date,
   check_in_at, check_out_at, guest_name, guest_email, guest_phone, guest_language, facts_at, created_at, updated_at)
  VALUES ('stays', %(external)s, %(short)s, '', %(unit)s, 'booked', %(arrival)s, %(departure)s, %(arrival)s,
   %(departure)s, 'Ada Lovelace', '', '', 'en', %(now)s, %(now)s, %(now)s) RETURNING id"""
UNIT = """INSERT INTO reservations_accommodation
  (name, external_id, short_id, timezone, check_in_time, check_out_time, grace_minutes, active, created_at, updated_at)
  VALUES ('Bench', '', '', 'America/Sao_Paulo', '15:00', '11:00', 0, true, now(), now()) RETURNING id"""


def job_insert(connection: psycopg.Connection[Any]) -> str:
    """Every column of the table, so that the floor writes the same bytes whatever the table looks like today."""
    known = {
        "kind": "%(kind)s", "subject": "%(subject)s", "live_key": "%(live_key)s", "payload": "%(payload)s",
        "queue": "'pins'", "priority": "3", "exclusive": "false", "state": "'scheduled'", "due_at": "%(due)s",
        "run_at": "%(due)s", "attempt": "0", "max_attempts": "3", "version": "1",
        "created_at": "%(now)s", "updated_at": "%(now)s",
    }  # fmt: skip
    rows = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = 'scheduler_job' AND is_nullable = 'NO' AND column_name <> 'id'"
    ).fetchall()
    blank = {"integer": "0", "smallint": "0", "bigint": "0", "boolean": "false", "jsonb": "'{}'"}
    values = {name: known.get(name, blank.get(kind, "''")) for name, kind in rows}
    return f"INSERT INTO scheduler_job ({', '.join(values)}) VALUES ({', '.join(values.values())})"


def one_by_one(connection: psycopg.Connection[Any], count: int) -> float:
    insert, now = job_insert(connection), datetime.now(UTC)
    unit = connection.execute(UNIT).fetchall()[0][0]
    connection.commit()

    def save(number: int) -> None:
        facts = {"external": f"bench{number:019d}", "short": f"BN{number}", "unit": unit, "now": now}
        with connection.transaction():
            stay = connection.execute(STAY, {**facts, "arrival": now + FAR, "departure": now + FAR * 1.1}).fetchall()
            for kind, due in (("locks.generate_pin", now + FAR), ("locks.revoke_pin", now + FAR * 2)):
                connection.execute(insert.encode(), job(kind, stay[0][0], due, now))

    for number in range(20):
        save(number)
    started = time.perf_counter()
    for number in range(20, 20 + count):
        save(number)
    return time.perf_counter() - started


def in_bulk(connection: psycopg.Connection[Any], count: int) -> float:
    insert, now = job_insert(connection), datetime.now(UTC)
    connection.commit()
    rows = [job("bench.noop", number, now + FAR, now) for number in range(count)]
    started = time.perf_counter()
    with connection.transaction():
        connection.cursor().executemany(insert.encode(), rows)
    return time.perf_counter() - started


def job(kind: str, about: int, due: datetime, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind, "subject": f"reservation:{about}", "live_key": f"{kind}:{about}", "payload": f'{{"n": {about}}}',
        "due": due, "now": now,
    }  # fmt: skip


if __name__ == "__main__":
    verb = {"one-by-one": one_by_one, "in-bulk": in_bulk}[sys.argv[1]]
    with psycopg.connect(os.environ["DATABASE_URL"]) as opened:
        print(json.dumps({"seconds": verb(opened, int(sys.argv[2]))}))
