"""SmartLock's own Celery application, with the bench's kind of job added to it."""

from __future__ import annotations

import django

from smartlock.celery import app

django.setup()

import bench.tasks  # noqa: E402, F401

__all__ = ["app"]
