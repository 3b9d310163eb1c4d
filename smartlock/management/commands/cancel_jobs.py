"""`manage.py cancel_jobs`: call off what is still to be done for a stay, or all jobs of a kind or a queue."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.db.models import QuerySet

from locks.models import Credential
from reservations.models import Reservation
from scheduler import clock, services
from scheduler.models import Job
from smartlock.management.printing import OperatorCommand, moment, reservation, several

SHOWN = 50


class Command(OperatorCommand):
    help = (
        "Call off live jobs: those of a stay (at its doors and its messages), of a kind, of a queue; with several of "
        "these, the jobs that fit all. Exit code 1 when there is no such reservation or nothing to call off, 2 when it "
        "is not said which."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reservation", nargs="?", help="Stays' _id, its short id, the partner code or our number")
        parser.add_argument("--kind", help="only of this kind, such as locks.generate_pin")
        parser.add_argument("--queue", help="only of this queue: pins, messages, sync or default")
        parser.add_argument("--dry-run", action="store_true", help="only show and count what would be called off")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now = clock.now()
        stay = reservation(options["reservation"]) if options["reservation"] else None
        live = self._chosen(stay, options)
        ids = list(live.values_list("pk", flat=True))
        shown = list(Job.objects.filter(pk__in=ids[:SHOWN]).order_by("due_at", "id"))  # as they are before
        cancelled = 0
        if ids and not options["dry_run"]:
            chosen = Job.objects.filter(pk__in=ids)
            with transaction.atomic():
                cancelled = services.cancel(chosen, now=now, actor="command", reason="Called off on the command line.")
        if options["json"]:
            answer = {"reservation": stay and stay.pk, "dry_run": options["dry_run"], "found": len(ids)}
            self.print_json({**answer, "cancelled": cancelled, "jobs": ids})
        elif ids:
            self._print(stay, shown, len(ids), now)
            self.say(
                f"Nothing was changed (--dry-run): {several(len(ids), 'job')} would be called off."
                if options["dry_run"] else f"{several(cancelled, 'job')} called off."
            )  # fmt: skip
            self._warn_of_pins(stay)
        else:
            self.say(f"{stay} has no such live jobs: nothing to call off." if stay else "No live jobs fit.")
        if not ids:
            raise SystemExit(1)

    def _chosen(self, stay: Reservation | None, options: dict[str, Any]) -> QuerySet[Job]:
        filters = {name: options[name] for name in ("kind", "queue") if options[name]}
        if stay is None and not filters:
            raise CommandError("Say which jobs: a reservation, --kind or --queue.", returncode=2)
        if stay is not None:
            filters["subject"] = stay.subject
        return Job.objects.filter(state__in=Job.LIVE, **filters).order_by("due_at", "id")

    def _print(self, stay: Reservation | None, jobs: list[Job], found: int, now: datetime) -> None:
        zone = stay.accommodation.zone if stay else None
        rows = [(job.pk, job.state, job.kind, moment(job.run_at, now, zone), job.subject) for job in jobs]
        self.print_table(["id", "state was", "kind", "run at", "subject"], rows)
        if found > len(rows):
            self.say(f"… and {found - len(rows)} more.")

    def _warn_of_pins(self, stay: Reservation | None) -> None:
        """Without its job a PIN that is on a door stays there until its window ends."""
        there = Credential.objects.filter(removed_at__isnull=True, asked_at__isnull=False)
        left = there.filter(reservation=stay).count() if stay else 0
        if left:
            self.say(
                f"On doors until the stay ends: {several(left, 'PIN')}. To take them off now, revoke in the admin site."
            )
