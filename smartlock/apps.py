"""The project as an app: it owns the admin site's frame, the translations and the start-up checks."""

from __future__ import annotations

from django.apps import AppConfig


class SmartLockConfig(AppConfig):
    name = "smartlock"
    verbose_name = "SmartLock"

    def ready(self) -> None:
        from scheduler.ticks import tick
        from smartlock import forgetting  # noqa: F401  connects its receiver
        from webhooks import silence  # noqa: F401  enters what it hears

        # Rooms that may not know the scheduler have their duties entered here, and in ``smartlock.tasks``.
        tick("reservations.check_sources", seconds=600)
