"""`manage.py erase_guests`: forget the guests who left long ago."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from reservations import erasure
from scheduler import clock
from smartlock.management.arguments import MOST_DAYS, within
from smartlock.management.printing import OperatorCommand, several


class Command(OperatorCommand):
    help = (
        "Erase names, contacts and messages of guests whose check-out was GUEST_KEEP_DAYS ago. Stays, jobs and the "
        "audit trail stay as they are. It is repeated every night. Exit code 0, also when there are none; 2 for "
        "a number of days that is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=settings.GUEST_KEEP_DAYS, help="instead of GUEST_KEEP_DAYS")
        parser.add_argument("--dry-run", action="store_true", help="only count, erase nothing")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now, days = clock.now(), within("--days", options["days"], 0, MOST_DAYS)
        if options["dry_run"]:
            erased = erasure.Erased(stays=erasure.due(now=now, days=days).count())
        else:
            erased = erasure.erase_guests(now=now, actor="command", days=days)
        if options["json"]:
            self.print_json({"days": days, "dry_run": options["dry_run"], **vars(erased)})
            return
        would = "would be" if options["dry_run"] else "were"
        self.say(f"The guests of {several(erased.stays, 'stay')} {would} erased.")
        for room, count in sorted(erased.elsewhere.items()):
            self.say(f"- {room}: {several(count, 'row')}")
