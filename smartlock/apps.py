"""The project as an app: it owns the admin site's frame, the translations and the start-up checks."""

from __future__ import annotations

from django.apps import AppConfig


class SmartLockConfig(AppConfig):
    name = "smartlock"
    verbose_name = "SmartLock"

    def ready(self) -> None:
        from scheduler.ticks import daily, tick
        from webhooks import silence  # noqa: F401  enters what it hears

        # Rooms that may not know the scheduler have their duties entered here.
        tick("reservations.sync", seconds=900, queue="sync")
        tick("reservations.read_feeds", seconds=1800, queue="sync")
        tick("reservations.check_sources", seconds=600)
        daily("reservations.sync_ahead", "03:20", queue="sync")
        daily("reservations.sync_listings", "05:10", queue="sync")
        daily("reservations.erase_guests", "04:40", queue="sync")
