"""A job's error on a Portuguese page: a sentence where it is a usual one, a quoted record where it is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from locks import errors, troubles
from locks.errors import DoorError
from notifications.telling import ERASED, NO_ADDRESS
from scheduler import clock
from scheduler.models import Job, JobAttempt
from scheduler.rescue import LOST
from smartlock.tonight import reasons
from tests.tonight.test_pages import make_arrival

REFUSED = "Creating a PIN on door1 was refused by Tuya (2324)."


def shelve(subject: str, record: str, error_class: str) -> None:
    """The job at the door failed for good."""
    now = clock.now()
    job = Job.objects.get(subject=subject, kind="locks.generate_pin")
    JobAttempt.objects.create(
        job=job, number=1, started_at=now, finished_at=now, outcome="failed", error_class=error_class, error=record
    )
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=now, last_error=record)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("record", "error_class", "said"),
    [
        (REFUSED, "Refused", "A fechadura recusa este PIN definitivamente."),
        (LOST, "Lost", "O processo de trabalho morreu com ela."),
        ("'NoneType' object has no ear", "AttributeError", "Registro: “&#x27;NoneType&#x27; object has no ear”"),
    ],
)
def test_tonight_says_it_in_portuguese(boss: Client, record: str, error_class: str, said: str) -> None:
    stay = make_arrival(clock.now() + timedelta(hours=1), proven=False)
    shelve(stay.subject, record, error_class)
    page = boss.get(reverse("admin:index"), headers={"accept-language": "pt-br"}).content.decode()
    assert f"A tarefa falhou: {said}" in page
    page = boss.get(reverse("admin:index"), headers={"accept-language": "en"}).content.decode()
    assert "Its job has failed: " in page
    assert record.partition(" ")[2] in page, "in English the record itself, which names more"


@pytest.mark.django_db
def test_where_nothing_failed_nothing_is_asked(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert reasons.classes_of([Job(state=Job.State.SCHEDULED, last_error="")]) == {}


def kinds_of(root: type[DoorError]) -> list[type[DoorError]]:
    return [one for child in root.__subclasses__() for one in (child, *kinds_of(child))]


def test_every_error_at_a_door_has_a_sentence_in_portuguese() -> None:
    named = [one for one in kinds_of(DoorError) if one.__module__ == errors.__name__]
    with translation.override("pt-br"):
        for one in named:
            said = reasons.of_job(one.__name__, "in English")
            trouble = troubles.of_error(one.code)
            assert trouble is not None, one
            assert said == trouble.text
        for sentence in (*reasons.SENTENCES.values(), NO_ADDRESS, ERASED):
            assert translation.gettext(sentence) != sentence
