"""Deliveries that arrive in the same instant, over connections of their own. Only PostgreSQL lets two write at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from scheduler.models import Job
from tests.webhooks.deliveries import URL, body, knock, refusals, stay
from tests.webhooks.test_wsgi import call
from webhooks.models import WebhookEvent

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in at a time"),
]
CALLERS = 6


def at_once(call: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(CALLERS)
    answers: list[Any] = []

    def run() -> None:
        start.wait(10)
        answers.append(call())
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_copies_of_one_delivery_make_one_event_and_one_job() -> None:
    answers = at_once(lambda: knock(body("reservation.created", stay()), signed=True))
    assert [answer.status_code for answer in answers] == [200] * CALLERS
    assert sorted(answer.json()["status"] for answer in answers) == ["duplicate"] * (CALLERS - 1) + ["stored"]
    assert WebhookEvent.objects.get().deliveries == CALLERS
    assert Job.objects.count() == 1


def test_many_different_ones_at_once_are_each_stored_once() -> None:
    numbers = iter(range(100))
    answers = at_once(lambda: knock(body("reservation.created", stay(_id=f"E{next(numbers)}")), signed=True))
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "stored")] * CALLERS
    ids = {answer.json()["event"] for answer in answers}
    assert ids == set(WebhookEvent.objects.values_list("pk", flat=True))
    assert len(ids) == CALLERS


def test_a_connection_that_was_cut_meanwhile_is_replaced() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        mine = cursor.fetchone()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", mine)
    other.close()
    answer = call(URL, body("reservation.created", stay()))
    assert answer is not None
    assert answer.status_code == 200
    assert WebhookEvent.objects.count() == 1


def test_refusals_are_all_counted() -> None:
    assert [answer.status_code for answer in at_once(lambda: knock(b"not json"))] == [400] * CALLERS
    assert refusals() == {"malformed": CALLERS}
