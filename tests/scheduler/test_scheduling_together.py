"""Some jobs in one statement, with the promises of ``schedule`` for each of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scheduler import publisher, rows, services
from scheduler.models import Job
from scheduler.services import Planned
from smartlock.database.postgresql.base import PREPARED_AFTER
from tests.builders import NOW
from tests.scheduler import kinds_for_tests  # noqa: F401  declares the kinds

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def planned(key: str, due_at: timedelta = HOUR) -> tuple[str, Planned]:
    return "tests.plain", Planned(NOW + due_at, "thing:1", key, {"key": key})


def test_all_are_written_in_one_statement_each_with_its_own_facts() -> None:
    with CaptureQueriesContext(connection) as queries:
        first, second = services.schedule_all([planned("a"), planned("b", 2 * HOUR)], now=NOW)
    assert len(queries) == 1
    assert [(job.pk, job.run_at, job.payload) for job in Job.objects.order_by("run_at")] == [
        (first, NOW + HOUR, {"key": "a"}), (second, NOW + 2 * HOUR, {"key": "b"}),
    ]  # fmt: skip


def test_one_whose_key_is_taken_is_the_job_that_holds_it_and_the_others_are_written() -> None:
    holder = services.schedule_all([planned("b")], now=NOW)[0]
    a, b, c = services.schedule_all([planned("a"), planned("b", 2 * HOUR), planned("c")], now=NOW)
    assert b == holder
    assert Job.objects.get(pk=b).run_at == NOW + HOUR
    assert dict(Job.objects.values_list("live_key", "pk")) == {"a": a, "b": b, "c": c}


def test_a_holder_that_ends_in_that_moment_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    holder = services.schedule("tests.plain", due_at=NOW + HOUR, now=NOW, live_key="a")
    write = rows.insert

    def end_the_holder_after_the_first_try(new: list[rows.Row]) -> dict[str, int]:
        ids = write(new)
        services.cancel(Job.objects.filter(pk=holder.pk), now=NOW)
        return ids

    monkeypatch.setattr(rows, "insert", end_the_holder_after_the_first_try)
    written = services.schedule_all([planned("a")], now=NOW)[0]
    assert written != holder.pk
    assert Job.objects.get(state=Job.State.SCHEDULED).pk == written


@pytest.mark.parametrize("keys", [("a", "a"), ("a", ""), ("", "")])
def test_several_without_a_key_each_are_refused_and_nothing_is_written(keys: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="live key"):
        services.schedule_all([planned(key) for key in keys], now=NOW)
    assert not Job.objects.exists()


def test_none_at_all_is_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert services.schedule_all([], now=NOW) == []
    assert len(queries) == 0


def test_those_that_are_near_are_announced_at_commit_unless_their_key_was_taken(
    announced: list[publisher.Message], django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    services.schedule_all([planned("taken", HOUR)], now=NOW)
    soon = timedelta(seconds=20)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        near, _far, _taken = services.schedule_all(
            [planned("near", soon), planned("far"), planned("taken", soon)], now=NOW
        )
        assert announced == []
    assert [message.pairs for message in announced] == [((near, 1),)]


def test_a_value_that_looks_like_a_place_in_the_statement_is_a_value() -> None:
    odd = "$1 %s %(a)s ?"
    job = services.schedule("tests.plain", due_at=NOW + HOUR, now=NOW, subject=odd, live_key=odd, payload={"a": odd})
    job.refresh_from_db()
    assert (job.subject, job.live_key, job.payload) == (odd, odd, {"a": odd})


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps statements by itself")
def test_what_is_written_often_is_planned_once() -> None:
    def known() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO scheduler_job%'"
            )
            count: int = cursor.fetchone()[0]
        return count

    before = known()
    for number in range(PREPARED_AFTER + 2):  # of a size that no other test has made this connection know
        services.schedule_all([planned(f"{number}:{one}") for one in range(11)], now=NOW)
    assert known() == before + 1
