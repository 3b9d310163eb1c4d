"""An event and its job are one commit: a crash in between leaves neither, and the sender is not told 200."""

from __future__ import annotations

from typing import NoReturn
from unittest import mock

import pytest
from django.test import Client

from scheduler import rows
from scheduler.models import Job
from tests.webhooks.deliveries import URL, body, knock, stay
from webhooks.models import WebhookEvent

GOOD = body("reservation.created", stay())


@pytest.mark.django_db(transaction=True)
def test_a_crash_between_the_event_and_its_job_leaves_neither_and_a_retry_brings_both() -> None:
    write = rows.insert

    def crash(job: Job) -> NoReturn:
        assert write(job)
        raise RuntimeError("the power goes")

    with mock.patch.object(rows, "insert", crash):
        answer = Client(raise_request_exception=False).post(URL, data=GOOD, content_type="application/json")
    assert answer.status_code == 500
    assert (WebhookEvent.objects.count(), Job.objects.count()) == (0, 0)
    assert knock(GOOD).json()["status"] == "stored"
    assert (WebhookEvent.objects.count(), Job.objects.count()) == (1, 1)
