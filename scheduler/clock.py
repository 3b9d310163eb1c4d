"""The one place where the present enters. Everything else is handed ``now``, so a test can hand it another."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, aware, UTC."""
    return timezone.now()
