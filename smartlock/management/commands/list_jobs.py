"""`manage.py list_jobs`: what is to be done, is being done, and was done."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db.models import F

from scheduler import clock
from scheduler.models import Job
from scheduler.services import describe
from smartlock.management.arguments import within
from smartlock.management.printing import OperatorCommand, moment, tries

MOST = 100_000  # jobs shown at once


class Command(OperatorCommand):
    help = (
        "List jobs: live ones first by their time, then those that are over, newest first. Exit code 0, 2 for a "
        "--limit that is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--state", action="append", choices=Job.State.values, help="may be given several times")
        parser.add_argument("--kind", help="such as locks.generate_pin")
        parser.add_argument("--queue", help="pins, messages, sync or default")
        parser.add_argument("--subject", help="such as reservation:17")
        parser.add_argument("--limit", type=int, default=50, help="at most this many (50)")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now, limit = clock.now(), within("--limit", options["limit"], 1, MOST)
        filters = {name: options[name] for name in ("kind", "queue", "subject") if options[name]}
        found = Job.objects.filter(**filters)
        if options["state"]:
            found = found.filter(state__in=options["state"])
        jobs = found.order_by(F("finished_at").desc(nulls_first=True), "run_at", "id")[:limit]
        if options["json"]:
            self.print_json([describe(job, now) for job in jobs.prefetch_related("attempts")])
            return
        rows = [
            (
                job.pk, job.state, job.kind, job.subject, moment(job.run_at, now), tries(job), job.queue,
                job.last_error,
            )
            for job in jobs
        ]  # fmt: skip
        if not rows:
            self.say("No jobs fit.")
            return
        self.print_table(["id", "state", "kind", "subject", "run at", "tries", "queue", "last error"], rows)
        if (more := found.count() - len(rows)) > 0:
            self.say(f"… and {more} more (--limit).")
