"""`manage.py retry_jobs`: take jobs from the dead-letter shelf and try them, at once or spread over a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet

from scheduler import clock, services
from scheduler.models import Job
from smartlock.management.arguments import ids as numbers
from smartlock.management.printing import OperatorCommand, reservation, several

LONGEST = 7 * 24 * 60


class Command(OperatorCommand):
    help = (
        "Try failed jobs again with a full set of attempts, at once or evenly over some minutes (--spread); named by "
        "id also cancelled ones; with several of these, the jobs that fit all. "
        "Exit code 1 when none fits, 2 when it is not said which."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", type=int, metavar="JOB_ID")
        parser.add_argument("--all", action="store_true", help="every failed job")
        parser.add_argument("--kind", help="failed jobs of this kind, such as locks.generate_pin")
        parser.add_argument("--reservation", help="failed jobs of this stay")
        parser.add_argument("--spread", type=float, metavar="MINUTES", help="lay the tries evenly over so long")
        parser.add_argument("--dry-run", action="store_true", help="only show which would be tried again")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        spread = self._spread(options["spread"])
        jobs = self._chosen(options)
        ids = list(jobs.values_list("pk", flat=True))
        retried = 0
        if ids and not options["dry_run"]:
            with transaction.atomic():
                retried = services.retry(jobs, now=clock.now(), actor="command", spread=spread)
        if options["json"]:
            self.print_json({"dry_run": options["dry_run"], "retried": retried, "jobs": ids})
        elif not ids:
            self.say("No such job is on the dead-letter shelf.")
        elif options["dry_run"]:
            self.say(f"Would be tried again: {', '.join(map(str, ids))}.")
        else:
            left = f" Overtaken by a newer job: {len(ids) - retried}." if retried < len(ids) else ""
            over = f", over {options['spread']:g} minutes" if spread else ""
            self.say(f"Tried again: {several(retried, 'job')}{over}.{left}")
        if not ids or (not retried and not options["dry_run"]):
            raise SystemExit(1)

    def _spread(self, minutes: float | None) -> timedelta | None:
        if minutes is not None and not 0 < minutes <= LONGEST:
            raise CommandError(f"--spread takes a number of minutes above 0, at most {LONGEST} (a week).", returncode=2)
        return None if minutes is None else timedelta(minutes=minutes)

    def _chosen(self, options: dict[str, Any]) -> QuerySet[Job]:
        if not (options["ids"] or options["all"] or options["kind"] or options["reservation"]):
            raise CommandError("Say which jobs: ids, --kind, --reservation, or --all.", returncode=2)
        jobs = Job.objects.filter(state=Job.State.FAILED)
        if options["ids"]:
            chosen = numbers("JOB_ID", options["ids"])
            jobs = Job.objects.filter(pk__in=chosen, state__in=[Job.State.FAILED, Job.State.CANCELLED])
        if options["kind"]:
            jobs = jobs.filter(kind=options["kind"])
        if options["reservation"]:
            jobs = jobs.filter(subject=reservation(options["reservation"]).subject)
        return jobs
