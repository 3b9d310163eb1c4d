"""The one place where the present enters. Everything else is handed ``now``, so a test can hand it another."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)
