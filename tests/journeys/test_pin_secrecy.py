"""P4 on real processes: the plain PIN is in no file and no table that they leave behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg

from tests.journeys.house import House
from tests.journeys.test_a_guest_stay import pin_in
from tests.sandbox_process import WIFI
from tests.test_pin_secrecy import holds


def test_no_digits_in_what_the_processes_leave_behind(home: House) -> None:
    """The database file or dump, Redis' own file, task results and every process's log, as they lie on the disk."""
    guest = "secrecy@example.com"
    home.sandbox.wake(WIFI)
    stay = home.book(WIFI, starts_in=-60, lasts=3600, guest=guest)
    pin = pin_in(home.mail(guest)["body"])
    left = everything(home)
    assert [name for name, content in left.items() if holds(content, pin)] == []
    assert any(b"locks.generate_pin" in content for content in left.values()), "we looked in the right places"
    home.sandbox.cancel(stay["_id"])


def everything(home: House) -> dict[str, bytes]:
    files = {str(path): path.read_bytes() for path in home.directory.rglob("*") if path.is_file()}
    return files | {"database": database_dump(home.env["DATABASE_URL"])}


def database_dump(url: str) -> bytes:
    if url.startswith("sqlite"):
        with sqlite3.connect(Path(url.removeprefix("sqlite:///"))) as connection:
            return "\n".join(connection.iterdump()).encode()
    with psycopg.connect(url) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        parts: list[bytes] = []
        for (table,) in tables:
            with connection.cursor().copy(f'copy "{table}" to stdout') as copy:
                parts += [bytes(row) for row in copy]
        return b"".join(parts)
