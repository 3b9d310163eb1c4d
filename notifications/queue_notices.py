"""Notices about a queue that somebody paused and forgot: once a pause, and once more when it goes on."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.dispatch import receiver

from notifications import notices, sentences
from notifications.languages import ENGLISH, PORTUGUESE, wall_clock
from notifications.models import Notice
from notifications.notices import TELL_OF_QUEUE, TELL_OPERATOR
from scheduler import clock, queues
from scheduler.models import Queue
from scheduler.signals import queue_forgotten, queue_resumed

# What does not happen meanwhile, by the queue.
MEANS = {
    ENGLISH: {
        "pins": "No PIN is put on a door or taken off one: guests may stand before shut doors.",
        "messages": "No message goes out, neither to guests nor to operators.",
        "sync": "No bookings are read, and recurring jobs do not run.",
        "default": "Events from Stays are not processed.",
    },
    PORTUGUESE: {
        "pins": "Nenhum PIN é gravado nas portas nem apagado delas: pode haver hóspedes diante de portas fechadas.",
        "messages": "Nenhuma mensagem sai, nem para hóspedes nem para operadores.",
        "sync": "Nenhuma reserva é lida, e as tarefas recorrentes não são executadas.",
        "default": "Os eventos da Stays não são processados.",
    },
}


@receiver(queue_forgotten)
def forgotten(queue: Queue, waiting: int, **_: Any) -> None:
    tongue = sentences.language(settings.LANGUAGE_CODE)
    assert queue.paused_at is not None  # only such a queue is forgotten
    notices.write(
        "queue_paused", subject=f"queue:{queue.name}", about=queue.name, detail=MEANS[tongue][queue.name],
        now=clock.now(), mail_by=_way(), since=wall_clock(queue.paused_at, ZoneInfo(settings.TIME_ZONE), tongue),
        who=queue.paused_by or "?", waiting=waiting,
    )  # fmt: skip


@receiver(queue_resumed)
def resumed(queue: Queue, waiting: int, **_: Any) -> None:
    """What was told needs nobody any more, and whoever read of it by e-mail knows that as well."""
    unseen = Notice.objects.filter(code="queue_paused", subject=f"queue:{queue.name}", seen_at__isnull=True)
    unseen.update(seen_at=clock.now())
    notices.write(
        "queue_paused_over", subject=f"queue:{queue.name}", about=queue.name, detail="", now=clock.now(),
        mail_by=_way(), waiting=waiting,
    )  # fmt: skip


def _way() -> str:
    """The e-mail goes past the queue that is paused. Where all are, the notice waits on the admin site alone."""
    return TELL_OF_QUEUE if "messages" in queues.paused() else TELL_OPERATOR
