"""`manage.py list_recurring`: what comes again, when next, and what came of it last."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from scheduler import clock
from scheduler.models import RecurringJob
from scheduler.recurring.words import in_words
from smartlock.api.recurring import every_job, facts
from smartlock.management.printing import OperatorCommand, moment


class Command(OperatorCommand):
    help = "List recurring jobs: schedule in words, next run, last run and its result. Exit code 0."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--category", action="append", choices=RecurringJob.Category.values, help="may be repeated")
        parser.add_argument("--off", action="store_true", help="only those that are switched off")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        jobs = every_job().order_by("category", "slug")
        if options["category"]:
            jobs = jobs.filter(category__in=options["category"])
        if options["off"]:
            jobs = jobs.filter(task__enabled=False)
        if options["json"]:
            self.print_json([facts(job) for job in jobs])
        elif jobs:
            self._print(list(jobs))
        else:
            self.say("No recurring jobs fit.")

    def _print(self, jobs: list[RecurringJob]) -> None:
        now = clock.now()
        rows = [
            (
                job.slug, job.category, "always on" if job.is_direct else "on" if job.enabled else "off",
                in_words(job.schedule), moment(job.next_run_at, now), moment(job.last_run_at, now),
                job.last_status or "-", job.last_error,
            )
            for job in jobs
        ]  # fmt: skip
        self.print_table(["name", "category", "switch", "schedule", "next run", "last run", "result", "error"], rows)
