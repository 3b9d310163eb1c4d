"""An event and its job are one commit: a crash in between leaves neither, and the sender is not told 200."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from scheduler import rows
from scheduler.models import Job
from tests.builders import NOW
from tests.engine import time_machine_at
from tests.webhooks.deliveries import URL, body, knock, stay
from webhooks.models import WebhookEvent

GOOD = body("reservation.created", stay())


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_the_event_and_its_job_leaves_neither_and_a_retry_brings_both() -> None:
    write = rows.insert

    def crash(new: list[rows.Row]) -> NoReturn:
        assert write(new)
        raise RuntimeError("the power goes")

    with mock.patch.object(rows, "insert", crash):
        answer = Client(raise_request_exception=False).post(URL, data=GOOD, content_type="application/json")
    assert answer.status_code == 500
    assert (WebhookEvent.objects.count(), Job.objects.count()) == (0, 0)
    assert knock(GOOD).json()["status"] == "stored"
    assert (WebhookEvent.objects.count(), Job.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_an_event_of_a_second_that_will_be_looked_at_anyway_is_one_statement() -> None:
    with time_machine_at(NOW):
        knock(GOOD)
        with CaptureQueriesContext(connection) as queries:
            assert knock(body("reservation.modified", stay())).json()["status"] == "stored"
    assert [query["sql"].partition(" (")[0] for query in queries] == ["INSERT INTO webhooks_webhookevent"]
    assert (WebhookEvent.objects.count(), Job.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_an_event_of_the_next_second_is_committed_with_a_job_of_its_own() -> None:
    with time_machine_at(NOW) as clock:
        knock(GOOD)
        clock.forward(NOW + timedelta(seconds=1))
        knock(body("reservation.modified", stay()))
    assert set(Job.objects.values_list("due_at", flat=True)) == {NOW + timedelta(seconds=n) for n in (2, 3)}
