"""`manage.py resume_queue NAME`: work it off again; what came due meanwhile starts within seconds."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock, queues
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Resume a queue: work it off again; what came due meanwhile starts within seconds. "
        "Exit code 0, also when it was not paused before; 1 when there is no such queue."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="pins, messages, sync or default")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        name = options["name"]
        try:
            changed = queues.resume(name, now=clock.now(), actor="command")
        except LookupError as error:
            raise CommandError(str(error), returncode=1) from None
        if options["json"]:
            self.print_json({"queue": name, "paused": False, "changed": changed})
        else:
            self.say(f"{name} goes on: what is due starts within seconds." if changed else f"{name} was not paused.")
