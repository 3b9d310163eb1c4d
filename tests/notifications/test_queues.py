"""An operator learns that a queue was paused and forgotten, also when it is the one of messages."""

from __future__ import annotations

import pytest
from django.core import mail
from pytest_django.fixtures import Settings

from notifications.models import Notice
from notifications.notices import TELL_OF_QUEUE, TELL_OPERATOR
from notifications.queue_notices import MEANS
from scheduler import forgotten, kinds, queues, services
from tests.notifications.conftest import Stage


def forget(stage: Stage, name: str = "messages") -> None:
    """With one due job in it."""
    kind = next(kind for kind in kinds.names() if kinds.get(kind).queue == name)
    services.schedule(kind, subject="test:1", due_at=stage.now, now=stage.now)
    queues.pause(name, now=stage.now, actor="ana")
    stage.later(minutes=11)
    with stage.committing():
        assert forgotten.check(now=stage.now) == 1


def test_a_pause_of_the_messages_is_mailed_all_the_same_and_so_is_its_end(stage: Stage) -> None:
    forget(stage)
    notice = Notice.objects.get(code="queue_paused")
    assert notice.level == "critical"
    assert "The queue “messages” is paused since Thursday, 5 March, " in notice.text
    assert "(by ana), and due jobs wait in it: 1." in notice.text
    assert "No message goes out, neither to guests nor to operators." in notice.text
    assert stage.work(TELL_OF_QUEUE) == ["succeeded"]

    with stage.committing():
        queues.resume("messages", now=stage.now, actor="ben")
    assert stage.work(TELL_OPERATOR) == ["succeeded"]
    assert [letter.subject for letter in mail.outbox] == [
        "[SmartLock] Work waits in a paused queue: messages", "[SmartLock] A queue goes on: messages",
    ]  # fmt: skip
    notice.refresh_from_db()
    assert notice.seen_at is not None, "what is over needs nobody"


def test_it_is_said_in_portuguese_where_the_house_speaks_it(stage: Stage, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "pt-br"
    forget(stage, "pins")
    text = Notice.objects.get(code="queue_paused").text
    assert "A fila “pins” está pausada desde quinta-feira, 5 de março, " in text
    assert "pode haver hóspedes diante de portas fechadas" in text


def test_another_queue_is_mailed_by_that_of_messages(stage: Stage) -> None:
    forget(stage, "default")
    assert stage.work(TELL_OPERATOR) == ["succeeded"]


@pytest.mark.parametrize("tongue", MEANS)
def test_each_queue_says_what_does_not_happen_meanwhile(tongue: str) -> None:
    assert MEANS[tongue].keys() == set(queues.NAMES)
