"""How long events are kept: settled ones for ``WEBHOOK_KEEP_DAYS``, so long also is a copy known for one.

What waits, is parked or was given up stays until somebody settles it. Of what never concerned a door (chat messages,
prices) the bytes go after a week; the row stays, for counting and for knowing copies.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from webhooks.models import WebhookEvent

State = WebhookEvent.State
PORTION = 1000  # rows of one statement, so that nobody waits long for the table
BYTES_OF_NO_CONCERN = timedelta(days=7)


def prune(*, now: datetime) -> int:
    """Returns how many events were deleted."""
    dropped = WebhookEvent.objects.filter(state=State.IGNORED, received_at__lt=now - BYTES_OF_NO_CONCERN)
    for portion in _portions(dropped.exclude(body=b"")):
        portion.update(body=b"", headers={})
    over = WebhookEvent.objects.filter(
        state__in=[State.PROCESSED, State.IGNORED], received_at__lt=now - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    )
    return sum(portion.delete()[0] for portion in _portions(over))


def _portions(events: QuerySet[WebhookEvent]) -> list[QuerySet[WebhookEvent]]:
    ids = list(events.order_by("received_at").values_list("pk", flat=True))
    return [WebhookEvent.objects.filter(pk__in=ids[start : start + PORTION]) for start in range(0, len(ids), PORTION)]
