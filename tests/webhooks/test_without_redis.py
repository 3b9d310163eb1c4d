"""Redis is away while Stays knocks: the delivery is stored and answered, and its job is found again."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import NoReturn

import pytest
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis.exceptions import ConnectionError as RedisAway

from scheduler import dispatcher, publisher, redis
from scheduler.models import Job
from scheduler.publisher import announce as really_announce
from tests.webhooks.deliveries import body, knock, stay
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
GOOD = body("reservation.created", stay())


def test_a_delivery_is_stored_and_answered_and_nobody_waits_for_redis(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    tried = threading.Event()

    def no_redis(*_: object) -> NoReturn:
        raise RedisAway("gone")

    def no_broker(_message: publisher.Message) -> NoReturn:
        tried.set()
        raise OperationalError("gone")

    monkeypatch.setattr(redis, "client", no_redis)
    monkeypatch.setattr(publisher, "publish", no_broker)
    monkeypatch.setattr(publisher, "announce", really_announce)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        answer = knock(GOOD)
    assert answer.status_code == 200
    assert len(callbacks) == 2  # one announces the job, one remembers that it was asked for
    assert tried.wait(5)
    assert WebhookEvent.objects.get().state == "received"
    assert Job.objects.get().state == "scheduled"


def test_a_job_whose_message_got_lost_is_published_again(announced: list[publisher.Message]) -> None:
    knock(GOOD)
    job = Job.objects.get()
    assert announced == []
    messages = dispatcher.take(now=job.run_at + timedelta(seconds=25))
    assert [(message.pairs[0][0], message.kind) for message in messages] == [(job.pk, "webhooks.sort_inbox")]
