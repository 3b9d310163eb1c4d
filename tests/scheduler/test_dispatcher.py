"""Near the due time a message, and only then; a lost message is sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from kombu.exceptions import OperationalError

from scheduler import publisher, services
from scheduler.dispatcher import dispatch, publish_near
from scheduler.models import Heartbeat, Job
from tests.builders import NOW
from tests.scheduler import kinds_for_tests  # noqa: F401  declares the kinds

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_only_what_is_due_inside_the_horizon_is_published(announced: list[publisher.Message]) -> None:
    near = services.schedule("tests.plain", due_at=NOW + 120 * SECOND, now=NOW)
    services.schedule("tests.plain", due_at=NOW + 600 * SECOND, now=NOW)
    assert dispatch(now=NOW + 70 * SECOND) == 1
    assert [(m.pairs, m.run_at) for m in announced] == [(((near.pk, 1),), near.run_at)]


def test_a_published_job_is_not_published_again(announced: list[publisher.Message]) -> None:
    services.schedule("tests.plain", due_at=NOW + 120 * SECOND, now=NOW)
    assert [dispatch(now=NOW + s * SECOND) for s in (70, 75, 80)] == [1, 0, 0]


def test_a_message_that_got_lost_is_sent_again(announced: list[publisher.Message]) -> None:
    services.schedule("tests.plain", due_at=NOW + 120 * SECOND, now=NOW)
    assert [dispatch(now=NOW + s * SECOND) for s in (70, 125, 131, 135, 142)] == [1, 0, 1, 0, 1]


def test_whoever_knows_that_messages_were_lost_has_them_sent_again_once(announced: list[publisher.Message]) -> None:
    """A worker that has to connect again: it need not wait until they are overdue."""
    near = services.schedule("tests.plain", due_at=NOW + 120 * SECOND, now=NOW)
    far = services.schedule("tests.plain", due_at=NOW + 600 * SECOND, now=NOW)
    dispatch(now=NOW + 70 * SECOND)
    lost_at = NOW + 80 * SECOND
    assert [publish_near(now=NOW + s * SECOND, published_before=lost_at) for s in (81, 82)] == [1, 0]
    assert announced[-1].pairs == ((near.pk, near.version),)
    assert far.pk not in {pair[0] for message in announced for pair in message.pairs}


def test_a_moved_job_is_published_for_its_new_time(announced: list[publisher.Message]) -> None:
    job = services.schedule("tests.plain", due_at=NOW + 100 * SECOND, now=NOW)
    dispatch(now=NOW + 50 * SECOND)
    services.reschedule(Job.objects.all(), due_at=NOW + 300 * SECOND, now=NOW + 55 * SECOND)
    assert dispatch(now=NOW + 60 * SECOND) == 0
    assert dispatch(now=NOW + 250 * SECOND) == 1
    assert announced[-1].pairs == ((job.pk, job.version + 1),)


def test_urgent_jobs_of_the_same_moment_go_first(announced: list[publisher.Message]) -> None:
    for priority in (7, 1, 5):
        services.schedule("tests.plain", priority=priority, due_at=NOW + 100 * SECOND, now=NOW)
    dispatch(now=NOW + 60 * SECOND)
    assert [m.priority for m in announced] == [1, 5, 7]


def test_a_broker_that_is_away_loses_nothing(
    announced: list[publisher.Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    services.schedule("tests.plain", due_at=NOW + 100 * SECOND, now=NOW)

    def away(_: publisher.Message) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as broken:
        broken.setattr(publisher, "publish", away)
        assert dispatch(now=NOW + 60 * SECOND) == 0
    assert dispatch(now=NOW + 111 * SECOND) == 1


def test_each_tick_leaves_a_sign_of_life() -> None:
    dispatch(now=NOW)
    assert Heartbeat.objects.get(name="dispatcher").beat_at == NOW
