"""`manage.py job_status RESERVATION`: the jobs of one stay, with every try."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from scheduler import clock
from scheduler.services import describe, jobs_of
from smartlock.management.printing import OperatorCommand, moment, reservation, tries


class Command(OperatorCommand):
    help = "Show the jobs of a stay and the history of their tries. Exit code 1 when there is no such reservation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("reservation", help="Stays' _id, its short id, the partner code or our number")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now = clock.now()
        stay = reservation(options["reservation"])
        jobs = list(jobs_of(stay.subject).prefetch_related("attempts"))
        if options["json"]:
            self.print_json([describe(job, now) for job in jobs])
            return
        zone = stay.accommodation.zone
        self.say(f"{stay} in {stay.accommodation}, {stay.get_status_display()}; times in {zone}")
        self.say(f"check-in {moment(stay.check_in_at, now, zone)}, check-out {moment(stay.check_out_at, now, zone)}")
        self.say()
        if not jobs:
            self.say("It has no jobs.")
            return
        rows = [(j.pk, j.state, j.kind, moment(j.run_at, now, zone), tries(j), j.last_error) for j in jobs]
        self.print_table(["id", "state", "kind", "run at", "tries", "last error"], rows)
        history = [
            (
                j.pk,
                f"{a.number} by {a.by_hand}" if a.by_hand else a.number,
                a.outcome,
                moment(a.started_at, now, zone),
                f"{a.lateness_ms} ms",
                a.worker,
                a.error,
            )
            for j in jobs
            for a in j.attempts.all()
        ]
        if history:
            self.say()
            self.print_table(["job", "try", "outcome", "started", "late by", "worker", "error"], history)
