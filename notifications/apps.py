from __future__ import annotations

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"

    def ready(self) -> None:
        from notifications import queue_notices, receivers, source_notices  # noqa: F401  connects the signals
