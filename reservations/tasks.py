"""The net under the webhooks, ticked by beat: arrivals and stays in house every quarter of an hour."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from reservations import sync
from reservations.errors import StaysError
from reservations.stays.client import StaysClient, is_configured

log = structlog.get_logger(__name__)
AHEAD = timedelta(days=2)


@shared_task(name="reservations.sync", ignore_result=True)
def sync_near_stays() -> None:
    """Yesterday to the day after tomorrow, all six types. An answer that cannot be read changes nothing."""
    if not is_configured():
        return
    now = timezone.now()
    try:
        with StaysClient.from_settings() as client:
            result = sync.sync(client, (now - timedelta(days=1)).date(), (now + AHEAD).date(), now=now)
        log.info("sync.done", **result.as_dict())
    except StaysError as error:
        log.warning("sync.failed", reason=str(error))
