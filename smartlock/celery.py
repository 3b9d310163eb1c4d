"""The Celery application. Jobs live in the database; Celery only carries them to a worker when they are due."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
app = Celery("smartlock")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery would replace Django's logging set-up; being connected here is what stops it."""
