"""Near the due time, and only then, gives Celery a message with the exact ETA.

Runs every few seconds on beat; several may run at once (SKIP LOCKED). Redis therefore never holds more than a
horizon of work, and a message that got lost (Redis emptied, restarted) is sent again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q
from kombu.exceptions import OperationalError

from scheduler import publisher, queues
from scheduler.models import Heartbeat, Job
from scheduler.near import horizon

log = structlog.get_logger(__name__)
LOST_AFTER = timedelta(seconds=10)  # a message this long overdue is taken for lost; a second one does no harm
BATCH = 1000
HEARTBEAT = "dispatcher"


def dispatch(*, now: datetime) -> int:
    """Publish the jobs that come due inside the horizon. Returns how many."""
    beat = Heartbeat(name=HEARTBEAT, beat_at=now)
    Heartbeat.objects.bulk_create([beat], update_conflicts=True, unique_fields=["name"], update_fields=["beat_at"])
    return publish_near(now=now)


def publish_near(*, now: datetime, published_before: datetime | None = None) -> int:
    """Publish what comes due inside the horizon and has no message yet, or one that is taken for lost.

    With ``published_before`` every older message is taken for lost, for whoever knows that it is: a second one does no
    harm, a job whose message is missing starts ten seconds late. Returns how many jobs were published.
    """
    sent = 0
    while messages := take(now=now, published_before=published_before):
        for message in messages:
            try:
                publisher.publish(message)
            except (OperationalError, OSError) as error:
                log.warning("dispatch.broker_away", reason=type(error).__name__)
                return sent
            sent += len(message.pairs)
        if sum(len(message.pairs) for message in messages) < BATCH:
            break
    return sent


@transaction.atomic
def take(*, now: datetime, published_before: datetime | None = None) -> list[publisher.Message]:
    """Mark the next batch as published and return its messages; another dispatcher gets other rows."""
    lost = Q(run_at__lt=now - LOST_AFTER, published_at__lt=now - LOST_AFTER)
    if published_before is not None:
        lost |= Q(published_at__lt=published_before)
    due = (
        Job.objects.filter(state=Job.State.SCHEDULED, run_at__lte=horizon(now))
        .filter(Q(published_at__isnull=True) | lost)
        .exclude(queue__in=queues.paused())
        .order_by("run_at", "priority")
        .select_for_update(skip_locked=True)
    )
    rows = list(due.values_list("kind", "queue", "priority", "run_at", "pk", "version")[:BATCH])
    if rows:
        Job.objects.filter(pk__in=[pk for *_, pk, _version in rows]).update(published_at=now)
    messages = (
        publisher.Message(kind, queue, priority, run_at, ((pk, version),))
        for kind, queue, priority, run_at, pk, version in rows
    )
    return list(publisher.merge(messages, now))
