"""Health check of the beat container: `python -m deploy.beat_alive`.

Beat answers no ping, but it writes down when it last sent each task, every three minutes at the latest. The ticks go
out every few seconds, so when even the newest entry is old, beat stands still.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django

OLDEST = timedelta(minutes=10)


def is_alive() -> bool:
    from django.utils import timezone
    from django_celery_beat.models import PeriodicTask

    newest = PeriodicTask.objects.filter(enabled=True, last_run_at__isnull=False).order_by("-last_run_at").first()
    return newest is not None and timezone.now() - newest.last_run_at < OLDEST


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
    django.setup()
    sys.exit(0 if is_alive() else 1)
