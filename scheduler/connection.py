"""When a worker connects, what is near is published again.

A worker keeps the messages that are not due yet in its memory. When it loses Redis it drops them, when it is killed
they go with it, and an emptied Redis has lost those that nobody had fetched. Each of these ends with a worker that
connects; without this, every job inside the horizon would start ten seconds late (``dispatcher.LOST_AFTER``).
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import structlog
from celery import bootsteps
from django.db import DatabaseError, close_old_connections, connection

from scheduler import clock, dispatcher

log = structlog.get_logger(__name__)
# Of several workers that connect at the same time, one does it for all.
JUST_NOW = timedelta(seconds=1)


class PublishAgain(bootsteps.StartStopStep):  # type: ignore[misc]
    """Runs whenever the worker has connected, the first time and after each loss, beside the worker's own loop."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        threading.Thread(target=publish_again, args=(clock.now(),), name="publish-again", daemon=True).start()


def publish_again(now: datetime) -> int:
    """Returns how many jobs were published. Never raises: the dispatcher's next tick, or the one after, mends it."""
    close_old_connections()
    try:
        sent = dispatcher.publish_near(now=now, published_before=now - JUST_NOW)
    except DatabaseError as error:
        log.warning("connection.not_published_again", reason=type(error).__name__)
        return 0
    finally:
        connection.close()
    log.info("connection.published_again", jobs=sent)
    return sent
