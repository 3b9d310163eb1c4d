"""`manage.py sync_reservations`: read reservations from Stays and save what is different."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from reservations.errors import StaysError, StaysRefused
from reservations.stays.client import StaysClient, is_configured
from reservations.sync import sync
from scheduler import clock
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Bring our reservations between two dates in line with Stays. "
        "Exit code 1 when Stays cannot be read, 2 when its login is missing or refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", type=date.fromisoformat, help="first day, 2026-03-05; yesterday")
        parser.add_argument("--to", dest="end", type=date.fromisoformat, help="last day; 90 days after the first")
        parser.add_argument("--dry-run", action="store_true", help="only compare, save nothing")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        if not is_configured():
            raise CommandError(
                "The Stays login is missing: set STAYS_BASE_URL, STAYS_CLIENT_ID and STAYS_CLIENT_SECRET.", returncode=2
            )
        now = clock.now()
        start = options["start"] or timezone.localdate(now) - timedelta(days=1)
        end = options["end"] or start + timedelta(days=90)
        if end < start:
            raise CommandError(f"--to ({end}) is before --from ({start}).", returncode=2)
        try:
            with StaysClient.from_settings() as client:
                result = sync(client, start, end, now=now, dry_run=options["dry_run"], on_progress=self.show_progress)
        except StaysRefused as error:
            raise CommandError(str(error), returncode=2) from None
        except StaysError as error:
            raise CommandError(str(error), returncode=1) from None
        finally:
            self.show_progress(0, 0)
        if options["json"]:
            self.print_json({"from": start, "to": end, "dry_run": options["dry_run"], **result.as_dict()})
            return
        would = "would be " if options["dry_run"] else ""
        self.say(f"{start} to {end}: {result.seen} read, {result.created} {would}new, "
                 f"{result.changed} {would}changed, {result.gone} {would}gone.")  # fmt: skip
        for problem in result.problems:
            self.say(f"- {problem}")
