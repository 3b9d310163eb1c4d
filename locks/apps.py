from __future__ import annotations

from django.apps import AppConfig


class LocksConfig(AppConfig):
    name = "locks"

    def ready(self) -> None:
        from locks import backups, receivers  # noqa: F401  declares a kind of holder, connects the signals
        from scheduler.ticks import tick

        tick("locks.replan_after_jobs", seconds=60)
        tick("locks.fold_usage", seconds=60)
        tick("locks.hash_pins", seconds=5)
        tick("locks.tend_backups", seconds=60)
