"""`manage.py sync_listings`: read the listings of the Stays account and propose units with their time zones."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from reservations import listings
from reservations.errors import StaysError, StaysRefused
from reservations.stays.client import PATIENT, StaysClient, is_configured
from scheduler import clock
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Read the listings of Stays and keep what they propose: name, default times, and a time zone from state and "
        "coordinates. Units are never changed by it: a person imports or maps listings in the admin site. "
        "Exit code 1 when Stays cannot be read, 2 when its login is missing or refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only compare, keep nothing")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        if not is_configured():
            raise CommandError(
                "The Stays login is missing: set STAYS_BASE_URL, STAYS_CLIENT_ID and STAYS_CLIENT_SECRET.", returncode=2
            )
        try:
            with StaysClient.from_settings(waits=PATIENT) as client:
                result = listings.sync(
                    client, now=clock.now(), dry_run=options["dry_run"], on_progress=self.show_progress
                )
        except StaysRefused as error:
            raise CommandError(str(error), returncode=2) from None
        except StaysError as error:
            raise CommandError(str(error), returncode=1) from None
        finally:
            self.show_progress(0, 0)
        if options["json"]:
            self.print_json({"dry_run": options["dry_run"], **result.as_dict()})
            return
        self.say(f"{result.seen} listings, {result.new} new, {result.unmapped} not mapped to a unit.")
        rows = [
            (one.external_id, one.name, one.proposed_timezone or "?", one.zone_reason) for one in listings.unmapped()
        ]
        if rows:
            self.print_table(["listing", "name", "proposed zone", "because of"], rows)
        for sentence in (*result.differences, *result.problems):
            self.say(f"- {sentence}")
