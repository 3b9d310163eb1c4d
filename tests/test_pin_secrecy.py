"""P4: the plain PIN exists in the worker's memory, on the lock and with the guest, and nowhere else.

Seven digits that stand alone are looked for: shorter ones turn up by chance in times of day.
"""

from __future__ import annotations

import io
import logging
import re
import sqlite3
from pathlib import Path

import fakeredis
import psycopg
import pytest
from django.core import mail
from django.core.management import call_command

from locks import doors
from locks.errors import Transient
from locks.models import Credential
from locks.sealing import unseal
from scheduler import publisher
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import time_machine_at
from tests.journeys.house import House
from tests.journeys.test_a_guest_stay import pin_in
from tests.locks.fake_door import FakeDoors
from tests.sandbox_process import WIFI


@pytest.mark.django_db
def test_no_digits_in_rows_logs_messages_or_redis(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fake_redis: fakeredis.FakeRedis,
    announced: list[publisher.Message],
) -> None:
    """Through a whole stay with failures on the way: an unknown fault is the likeliest to spill what it held."""
    caplog.set_level(logging.DEBUG)
    street, failures = FakeDoors(), iter([Transient("busy"), ValueError("an unforeseen bug")])
    monkeypatch.setattr(doors, "provider_for", lambda _: street)

    def fail_twice(call: str) -> None:
        if call == "create" and (error := next(failures, None)):
            raise error

    street.before = fail_twice
    with time_machine_at(NOW) as clock:
        unit = make_accommodation()
        lock = make_lock(unit, radio="wifi")
        reservation = make_reservation(unit)
        clock.until(reservation.check_in_at)
        pin = unseal(Credential.objects.get(lock=lock).pin_sealed)
        assert street.on(lock.device_id)[0].pin == pin
        assert any(pin in str(message.body) for message in mail.outbox), "the guest was told"
        assert not any(pin in message.subject for message in mail.outbox)
        dump = io.StringIO()
        call_command("dumpdata", stdout=dump)
        clock.until(reservation.check_out_at)
        call_command("dumpdata", stdout=dump)
    redis_content = repr({key: fake_redis.get(key) for key in fake_redis.keys("*")})
    places = {
        "rows": dump.getvalue(), "logs": caplog.text, "messages to Celery": repr(announced), "redis": redis_content,
        "repr": repr(list(Credential.objects.all())) + str(Credential.objects.get()),
    }  # fmt: skip
    assert [place for place, text in places.items() if holds(text.encode(), pin)] == []
    assert len(dump.getvalue()) > 2000


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


def holds(content: bytes, pin: str) -> bool:
    return re.search(rb"(?<!\d)%s(?!\d)" % pin.encode(), content) is not None


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
