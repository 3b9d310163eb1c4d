from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class SchedulerConfig(AppConfig):
    name = "scheduler"

    def ready(self) -> None:
        from scheduler.queues import ensure_queues
        from scheduler.recurring.standing import ensure_recurring
        from scheduler.ticks import ensure_ticks

        # Every process that writes jobs must know the kinds, not only the workers.
        autodiscover_modules("tasks")
        post_migrate.connect(ensure_ticks, sender=self)
        post_migrate.connect(ensure_queues, sender=self)
        post_migrate.connect(ensure_recurring, sender=self)  # after the ticks: it shows them
