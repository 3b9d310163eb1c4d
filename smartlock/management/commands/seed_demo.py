"""`manage.py seed_demo`: something to look at, around today."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock
from smartlock import demo
from smartlock.management.printing import OperatorCommand

KEPT_OFF = "There is other data than the demo's here: the demo is not made anew."


class Command(OperatorCommand):
    help = (
        "Fill an empty database with a demo: the sandbox's units and doors, stays of all kinds around today, events. "
        "Repeating it only adds what is missing. Exit code 1 when the database holds other data (nothing is done), "
        "2 when the locks are not those of a sandbox."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", action="store_true", help="delete the demo's own rows first, and no others")
        parser.add_argument("--force", action="store_true", help="go on beside other data, or with real locks")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now = clock.now()
        if not (demo.speaks_to_a_sandbox() or options["force"]):
            raise CommandError(
                "TUYA_BASE_URL is not an address on this machine, so these may be real locks, and the demo would plan "
                "PINs for them. Nothing was done; --force does it all the same.", returncode=2,
            )  # fmt: skip
        removed = demo.reset(now=now) if options["reset"] else demo.Seeded()
        is_kept_off = demo.has_foreign_data() and not options["force"]
        if is_kept_off and not options["reset"]:
            raise CommandError(
                "There is other data than the demo's here: nothing was done. --force adds the demo beside it.",
                returncode=1,
            )
        made = demo.Seeded(notes=[KEPT_OFF]) if is_kept_off else demo.seed(now=now)
        if options["json"]:
            notes = [*removed.notes, *made.notes]
            self.print_json({"removed": removed.removed, "made": made.made, "notes": notes})
            return
        if options["reset"]:
            self._tell("Removed", removed)
        if is_kept_off:
            self.say(KEPT_OFF)
        else:
            self._tell("Made", made)

    def _tell(self, verb: str, seeded: demo.Seeded) -> None:
        counts = seeded.made or seeded.removed
        changed = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        self.say(f"{verb}: {changed or 'nothing, the demo is as it should be'}.")
        for note in seeded.notes:
            self.say(f"- {note}")
