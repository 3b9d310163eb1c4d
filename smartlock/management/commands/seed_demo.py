"""`manage.py seed_demo`: something to look at, around today."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock
from smartlock import demo
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Fill an empty database with a demo: the sandbox's units and doors, stays of all kinds around today, events. "
        "Repeating it only adds what is missing. Exit code 1 when the database holds other data (nothing is done), "
        "2 when the locks are not those of a sandbox."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="delete the demo's own rows first, and no others")
        parser.add_argument("--force", action="store_true", help="go on beside other data, or with real locks")

    def handle(self, **options: Any) -> None:
        now = clock.now()
        if not (demo.speaks_to_a_sandbox() or options["force"]):
            raise CommandError(
                "TUYA_BASE_URL is not an address on this machine, so these may be real locks, and the demo would plan "
                "PINs for them. Nothing was done; --force does it all the same.", returncode=2,
            )  # fmt: skip
        if options["reset"]:
            self._tell("Removed", demo.reset(now=now))
        if demo.has_foreign_data() and not options["force"]:
            if options["reset"]:
                self.say("There is other data than the demo's here: the demo is not made anew.")
                return
            raise CommandError(
                "There is other data than the demo's here: nothing was done. --force adds the demo beside it.",
                returncode=1,
            )
        self._tell("Made", demo.seed(now=now))

    def _tell(self, verb: str, seeded: demo.Seeded) -> None:
        counts = seeded.made or seeded.removed
        changed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        self.say(f"{verb}: {changed or 'nothing, the demo is as it should be'}.")
        for note in seeded.notes:
            self.say(f"- {note}")
