"""What is away, what health says of it, and that it heals by itself: nothing early, nothing twice, nothing lost.

A house of its own whose horizon is short: what is due in 14 seconds needs beat, ticker, Redis and the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from tests.journeys.house import House, house, wait_for
from tests.journeys.test_a_guest_stay import pin_in
from tests.sandbox_process import BLE

AGAIN = "connection.published_again"
HOUR, AHEAD = 3600, 20  # seconds: the lead, and when a job is due
LONG = 120.0
WRITE = "-c default_transaction_read_only=off"
GENERATE = """
SELECT due_at, state, (SELECT min(lateness_ms) FROM scheduler_jobattempt WHERE job_id = job.id)
FROM scheduler_job job JOIN reservations_reservation stay ON subject = 'reservation:' || stay.id
WHERE kind = 'locks.generate_pin' AND external_id = '{}'
"""
EVENT = {"action": "message.added", "_dt": "2026-01-01T00:00:00Z", "payload": {}}


@pytest.fixture(scope="module", params=[pytest.param("postgres", marks=pytest.mark.journey)])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("outages"), request.param, HORIZON_SECONDS="5") as running:
        yield running


def health(home: House, path: str) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{home.web}/health/{path}", timeout=30)
    return answer.status_code, dict(answer.json())


def shows(home: House, path: str, code: int, **parts: object) -> None:
    """Wait until that answer has this code, and these parts."""

    def does() -> bool:
        status, body = health(home, path)
        return status == code and body | parts == body

    wait_for(does, seconds=LONG, why=f"/health/{path} answers {code} with {parts}")


def sql(home: House, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
    """Execute them one by one, also while nobody else may write; the rows of the last."""
    server = home.env["DATABASE_URL"].rpartition("/")[0]
    with psycopg.connect(f"{server}/{database}", autocommit=True, options=WRITE) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def generate(home: House, stay: Any) -> tuple[datetime, str, int | None] | None:
    """When the stay's PIN is due, the state of that job, and how late its tries were at least, in milliseconds."""
    rows = sql(home, GENERATE.format(stay["_id"]))
    return rows[0] if rows else None


def pins(home: House) -> int:
    """How many the door holds, those of windows to come included."""
    return sum(code["state"] != "gone" for code in home.sandbox.door(BLE)["codes"])


def a_minute_passes(home: House) -> None:
    """For the heartbeat."""
    sql(home, "UPDATE scheduler_heartbeat SET beat_at = beat_at - interval '61 seconds'")


@contextmanager
def a_stay_due_meanwhile(home: House, guest: str) -> Iterator[datetime]:
    """A PIN falls due while something is away, which gives the moment; afterwards it comes, late and once."""
    pids = {name: process.pid for name, process in home.processes.items()}
    stay = home.book(BLE, starts_in=HOUR + AHEAD, lasts=HOUR, guest=guest)
    due, state, late = wait_for(lambda: generate(home, stay), why="the PIN is planned")
    assert (state, late) == ("scheduled", None)
    yield due
    assert pin_in(home.mail(guest, seconds=LONG)["body"])
    _, state, late = wait_for(lambda: generate(home, stay))
    assert state == "succeeded"
    assert late is not None
    assert late >= 0
    assert pins(home) == 1
    shows(home, "queues", 200, status="healthy")
    shows(home, "ready", 200)
    for name in pids.keys() - {"valkey"}:
        assert (home.processes[name].pid, home.processes[name].poll()) == (pids[name], None), f"{name} died of it"
    home.sandbox.cancel(stay["_id"])
    wait_for(lambda: pins(home) == 0, why="cancelled: the PIN goes at once")


def until_overdue(moment: datetime) -> None:
    wait_for(lambda: datetime.now(UTC) > moment + timedelta(seconds=1), why="the PIN's moment is past")


@pytest.mark.parametrize("name", ["beat", "ticker"])
def test_without_beat_or_ticker_what_is_near_goes_on_and_what_is_later_waits(home: House, name: str) -> None:
    home.stop(name)
    with a_stay_due_meanwhile(home, f"{name}@example.com") as due:  # the webhook and the plan needed neither
        a_minute_passes(home)
        shows(home, "queues", 503, status="unhealthy")
        assert not health(home, "queues")[1]["dispatcher"]["ticking"]
        assert health(home, "ready")[0] == 200
        until_overdue(due)
        assert pins(home) == 0
        start(home, name)


def start(home: House, name: str) -> None:
    if name == "ticker":
        home.start_worker("ticker", "ticks")
    else:
        home.start_beat()


@pytest.mark.parametrize("empty", [False, True], ids=["kept", "emptied"])
def test_without_redis_webhooks_are_taken_and_what_is_due_comes_when_it_is_back(home: House, empty: bool) -> None:
    with a_stay_due_meanwhile(home, f"redis-{empty}@example.com") as due:
        home.kill("valkey")
        shows(home, "queues", 503, redis={"connected": False})
        shows(home, "ready", 503, checks={"database": True, "migrations": True, "redis": False})
        assert home.post(EVENT | {"_dt": datetime.now(UTC).isoformat()}).status_code == 200
        until_overdue(due)
        if empty:
            for left in (home.directory / "valkey").glob("appendonlydir/*"):
                left.unlink()
        before = home.log("worker").count(AGAIN)
        home.start_valkey()
        wait_for(lambda: home.log("worker").count(AGAIN) > before, why="what is near is published again")


def test_a_database_that_fails_over_takes_nothing_loses_nothing_and_is_found_again(home: House) -> None:
    """Cut off, refused, then read-only as a replica before its promotion."""
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'"
    with a_stay_due_meanwhile(home, "failover@example.com") as due:
        sql(home, "ALTER DATABASE postgres ALLOW_CONNECTIONS false", others, database="template1")
        shows(home, "ready", 503, checks={"database": False, "migrations": False, "redis": True})
        shows(home, "queues", 503, status="unhealthy", queues=[])
        assert health(home, "live")[0] == 200
        assert home.post(EVENT | {"_dt": datetime.now(UTC).isoformat()}).status_code >= 500
        until_overdue(due)
        sql(
            home, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()",
            "ALTER DATABASE postgres ALLOW_CONNECTIONS true", database="template1",
        )  # fmt: skip
        shows(home, "ready", 503, checks={"database": False, "migrations": False, "redis": True})
        assert home.post(EVENT | {"_dt": datetime.now(UTC).isoformat()}).status_code >= 500
        assert pins(home) == 0
        sql(home, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()", database="template1")
