"""When the webhooks were last heard, for ``reservations.silence``. Connected by ``smartlock.apps``."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db.models import Max

from reservations.silence import Source, watch
from webhooks.models import WebhookEvent


@watch
def webhooks() -> Iterator[Source]:
    """Only where Stays is connected; any event counts, as most of them are of no concern to doors."""
    if settings.STAYS_WEBHOOK_TOKENS and settings.STAYS_BASE_URL:
        last = WebhookEvent.objects.aggregate(last=Max("received_at"))["last"]
        yield Source("stays-webhooks", "Stays (webhooks)", last, settings.SOURCE_SILENT_HOURS)
