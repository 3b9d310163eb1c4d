from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SchedulerConfig(AppConfig):
    name = "scheduler"

    def ready(self) -> None:
        from scheduler.ticks import ensure_ticks

        post_migrate.connect(ensure_ticks, sender=self)
