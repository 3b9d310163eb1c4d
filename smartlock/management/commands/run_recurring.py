"""`manage.py run_recurring NAME`: a run of a recurring job now, beside its schedule."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock
from scheduler.recurring import services
from scheduler.recurring.errors import AlreadyRunning, RecurringError
from smartlock.api.recurring import every_job, run_facts
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Hand a run of a recurring job to the workers now, beside its schedule, also when it is switched off. Exit "
        "code 1 when no job is called so or it is at work already, 2 for the engine's own pulse, which runs by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="its short name; list_recurring shows them")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        job = every_job().filter(slug=options["name"]).first()
        if job is None:
            raise CommandError(f"No recurring job is called {options['name']!r}: see list_recurring.", returncode=1)
        try:
            run = services.run_now(job, now=clock.now(), actor="command")
        except RecurringError as error:
            raise CommandError(str(error), returncode=1 if isinstance(error, AlreadyRunning) else 2) from None
        if options["json"]:
            self.print_json({"name": job.slug, "run": run_facts(run)})
        else:
            self.say(f"{job.slug} is on its way as run {run.pk}: list_recurring shows what comes of it.")
