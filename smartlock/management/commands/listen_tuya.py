"""`manage.py listen_tuya`: hears what Tuya tells by itself, until it is stopped."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import close_old_connections

from locks.errors import Configuration
from locks.heard import Listener
from locks.tuya import push
from scheduler import clock
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = "Listen to Tuya's message push (TUYA_PUSH_URL) until stopped. Exit code 2 when it is not configured."

    def handle(self, **options: Any) -> None:
        if not settings.TUYA_PUSH_URL:
            raise CommandError("TUYA_PUSH_URL is not set: there is nothing to listen to.", returncode=2)
        try:
            where = push.address(
                settings.TUYA_PUSH_URL,
                settings.TUYA_CLIENT_ID,
                settings.TUYA_CLIENT_SECRET,
                settings.TUYA_PUSH_CHANNEL,
            )
        except Configuration as problem:
            raise CommandError(str(problem), returncode=2) from None
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        listener = Listener()

        def handle(heard: push.Heard) -> None:
            close_old_connections()
            listener.handle(heard, now=clock.now())

        def idle() -> None:
            listener.idle(now=clock.now())

        self.say("listen_tuya is listening.")
        push.listen(where, handle, idle, stop)
