"""`manage.py cancel_jobs RESERVATION`: call off what is still to be done for one stay."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from locks.models import Credential
from scheduler import clock, services
from scheduler.models import Job
from smartlock.management.printing import OperatorCommand, moment, reservation, several


class Command(OperatorCommand):
    help = (
        "Call off the live jobs of a stay: those at its doors and its messages. "
        "Exit code 1 when there is no such reservation or nothing to call off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reservation", help="Stays' _id, its short id, the partner code or our number")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be called off")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now = clock.now()
        stay = reservation(options["reservation"])
        live = services.jobs_of(stay.subject).filter(state__in=Job.LIVE)
        jobs = list(live)
        cancelled = 0
        if jobs and not options["dry_run"]:
            with transaction.atomic():
                cancelled = services.cancel(live, now=now, actor="command", reason="Called off on the command line.")
        if options["json"]:
            answer = {"reservation": stay.pk, "dry_run": options["dry_run"], "cancelled": cancelled}
            self.print_json({**answer, "jobs": [job.pk for job in jobs]})
        elif jobs:
            rows = [(job.pk, job.state, job.kind, moment(job.run_at, now, stay.accommodation.zone)) for job in jobs]
            self.print_table(["id", "state was", "kind", "run at"], rows)
            self.say(
                "Nothing was changed (--dry-run)." if options["dry_run"] else f"{several(cancelled, 'job')} called off."
            )
            self._warn_of_pins(stay.pk)
        else:
            self.say(f"{stay} has no live jobs: nothing to call off.")
        if not jobs:
            raise SystemExit(1)

    def _warn_of_pins(self, stay: int) -> None:
        """Without its job a PIN that is on a door stays there until its window ends."""
        left = Credential.objects.filter(reservation=stay, removed_at__isnull=True, asked_at__isnull=False).count()
        if left:
            self.say(
                f"On doors until the stay ends: {several(left, 'PIN')}. To take them off now, revoke in the admin site."
            )
