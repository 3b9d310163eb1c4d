"""`manage.py sync_reservations`: read reservations from Stays and save what is different."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from reservations import runs
from reservations.errors import StaysError, StaysRefused
from reservations.stays.client import PATIENT, StaysClient, is_configured
from reservations.sync import Result, sync
from scheduler import clock
from smartlock.management.arguments import day
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Bring our reservations between two dates in line with Stays. A sync that was cut off goes on where it was "
        "when the same dates are given again. "
        "Exit code 1 when Stays cannot be read, 2 when its login is missing or refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", type=day, help="first day, 2026-03-05; yesterday")
        parser.add_argument("--to", dest="end", type=day, help="last day; 90 days after the first")
        parser.add_argument(
            "--full", action="store_true", help="read every stay whole; otherwise those read lately only when changed"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what is different, save nothing")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        if not is_configured():
            raise CommandError(
                "The Stays login is missing: set STAYS_BASE_URL, STAYS_CLIENT_ID and STAYS_CLIENT_SECRET.", returncode=2
            )
        start = options["start"] or timezone.localdate(clock.now()) - timedelta(days=1)
        end = options["end"] or start + timedelta(days=90)
        if end < start:
            raise CommandError(f"--to ({end}) is before --from ({start}).", returncode=2)
        try:
            with StaysClient.from_settings(waits=PATIENT) as client:
                result = self._sync(client, start, end, full=options["full"], dry_run=options["dry_run"])
        except StaysRefused as error:
            raise CommandError(str(error), returncode=2) from None
        except (StaysError, runs.Busy) as error:
            raise CommandError(str(error), returncode=1) from None
        finally:
            self.show_progress(0, 0)
        if options["json"]:
            self.print_json({"from": start, "to": end, "dry_run": options["dry_run"], **result.as_dict()})
        else:
            self._print(start, end, result, dry_run=options["dry_run"])

    def _sync(self, client: StaysClient, start: date, end: date, *, full: bool, dry_run: bool) -> Result:
        if dry_run:
            return sync(client, start, end, now=clock.now, full=full, dry_run=True, on_progress=self.show_progress)
        key = f"asked {start} {end}{' in full' if full else ''}"
        run, result = runs.run_sync(
            client, key, start, end, now=clock.now, full=full, actor="command", on_progress=self.show_progress
        )
        result.created, result.changed, result.gone = run.created, run.changed, run.gone
        return result

    def _print(self, start: date, end: date, result: Result, *, dry_run: bool) -> None:
        would = "would be " if dry_run else ""
        self.say(f"{start} to {end}: {result.seen} read, {result.created} {would}new, "
                 f"{result.changed} {would}changed, {result.gone} {would}gone.")  # fmt: skip
        for change in result.changes:
            self.say(f"{change['stay']}: {change['what']}")
            for name, (ours, theirs) in change["fields"].items():
                self.say(f"    {name}: {ours or '–'} → {theirs or '–'}")
        for problem in result.problems:
            self.say(f"- {problem}")
