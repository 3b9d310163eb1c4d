"""`manage.py pause_queue NAME`: start nothing of it until it is resumed; what runs is finished."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock, queues
from scheduler.models import Queue
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Pause a queue: start nothing of it until it is resumed; what runs is finished. "
        "Exit code 0, also when it was paused before; 1 when there is no such queue."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="pins, messages, sync or default")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        name = options["name"]
        try:
            changed = queues.pause(name, now=clock.now(), actor="command")
        except LookupError as error:
            raise CommandError(str(error), returncode=1) from None
        if options["json"]:
            self.print_json({"queue": name, "paused": True, "changed": changed})
        elif changed:
            self.say(f"{name} is paused: its jobs wait until `resume_queue {name}`.")
        else:
            row = Queue.objects.get(name=name)
            self.say(f"{name} was paused already, by {row.paused_by} at {row.paused_at:%Y-%m-%d %H:%M} UTC.")
