"""`manage.py clear_failed_jobs`: empty the dead-letter shelf."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from scheduler import clock, services
from scheduler.models import Job
from smartlock.management.arguments import MOST_DAYS, within
from smartlock.management.printing import OperatorCommand, several


class Command(OperatorCommand):
    help = "Delete failed jobs and their tries; the audit trail keeps the count. Exit code 0, also when there are none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--kind", help="only of this kind, such as locks.generate_pin")
        parser.add_argument("--older-than", type=int, metavar="DAYS", help="only those that failed longer ago")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        days = options["older_than"]
        jobs = Job.objects.filter(state=Job.State.FAILED)
        if options["kind"]:
            jobs = jobs.filter(kind=options["kind"])
        if days is not None:
            jobs = jobs.filter(finished_at__lt=clock.now() - timedelta(days=within("--older-than", days, 0, MOST_DAYS)))
        found, cleared = jobs.count(), 0
        if not options["dry_run"]:
            with transaction.atomic():
                cleared = services.clear_failed(jobs, actor="command")
        if options["json"]:
            self.print_json({"dry_run": options["dry_run"], "found": found, "cleared": cleared})
        elif options["dry_run"]:
            self.say(f"Would be cleared: {several(found, 'failed job')}.")
        else:
            self.say(f"Cleared: {several(cleared, 'failed job')}." if cleared else "No failed jobs: nothing to clear.")
