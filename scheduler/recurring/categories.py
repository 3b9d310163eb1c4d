"""What a job is for; the list is filtered by it."""

from __future__ import annotations

BUSINESS, SYSTEM, MAINTENANCE = "biz", "system", "maintenance"
