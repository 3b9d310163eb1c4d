from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        from scheduler.ticks import tick
        from webhooks import receivers

        receivers.connect()
        tick("webhooks.look_after_inbox", seconds=10)
