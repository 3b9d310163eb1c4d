"""`manage.py reconcile_locks`: what should be on each lock against what the lock lists."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from locks import foreign, reconcile
from locks.errors import Configuration, DoorError
from locks.models import Lock
from locks.reconcile import Difference
from reservations.models import Reservation
from scheduler import clock
from smartlock.management.printing import OperatorCommand, several

KINDS = ("missing", "unwanted", "changed", "foreign")
TODO = {
    "missing": "to be put back", "unwanted": "to be taken off", "changed": "changed on the lock: {what}",
    "foreign": "not ours: left alone",
}  # fmt: skip


class Command(OperatorCommand):
    help = (
        "Compare locks with our records. Missing PINs are put back and unwanted ones taken off by jobs; what was "
        "changed on the lock by hand and codes that are not ours are reported, and touched only with --put-right and "
        "--remove-foreign. Exit code 0 when all agree or are being mended (foreign codes are no trouble); 1 when "
        "differences remain, a lock cannot be read, or no lock or code fits; 2 when the provider's login is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("locks", nargs="*", metavar="LOCK", help="number, name or device id; none = every lock")
        parser.add_argument("--lock", action="append", default=[], help="the same, for scripts that say it so")
        parser.add_argument("--dry-run", action="store_true", help="show the exact difference, change nothing")
        parser.add_argument("--put-right", action="store_true", help="give changed PINs our name and times back")
        parser.add_argument(
            "--remove-foreign", action="append", default=[], metavar="NAME|REF",
            help="take this code off the chosen locks although it is not ours; may be given several times",
        )  # fmt: skip
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        locks = self._chosen([*options["locks"], *options["lock"]])
        reports = []
        for number, lock in enumerate(locks):
            self.show_progress(number, len(locks), lock.name)
            reports.append(self._reconcile(lock, options))
        self.show_progress(len(locks), len(locks))
        if options["json"]:
            self.print_json(reports)
        else:
            self._print(reports, dry_run=options["dry_run"])
        self._unknown_codes(reports, options["remove_foreign"])
        if any(_remains(report, options) for report in reports):
            raise SystemExit(1)

    def _chosen(self, references: list[str]) -> list[Lock]:
        locks = Lock.objects.order_by("name", "pk")
        if not references:
            return list(locks)
        chosen: dict[int, Lock] = {}
        for reference in references:
            number = Q(pk=int(reference)) if reference.isascii() and reference.isdigit() else Q(pk=None)
            found = locks.filter(Q(name=reference) | Q(device_id=reference) | number)
            if not found:
                raise CommandError(f"No lock is known as {reference!r}.", returncode=1)
            chosen |= {lock.pk: lock for lock in found}
        return list(chosen.values())

    def _reconcile(self, lock: Lock, options: dict[str, Any]) -> dict[str, Any]:
        now = clock.now()
        look = reconcile.preview if options["dry_run"] else reconcile.reconcile
        report: dict[str, Any] = {"lock": lock.name, "id": lock.pk, "device_id": lock.device_id, "error": None}
        try:
            difference = look(lock, now=now, actor="command")
        except Configuration as error:
            raise CommandError(str(error), returncode=2) from None
        except DoorError as error:
            nothing = Difference()
            return {**report, "error": str(error), **nothing.as_dict(), "held": None, "mending": 0, "removing": []}
        leaving = [code for name in options["remove_foreign"] for code in foreign.named(difference.foreign, name)]
        mending = 0
        if not options["dry_run"]:
            mending = len(difference.missing) + len(difference.unwanted)
            if options["put_right"]:
                mending += reconcile.put_right(lock, difference, now=now, actor="command")
            for code in leaving:
                foreign.order_removal(lock, code, now=now, actor="command")
        removing = [code.ref for code in leaving]
        return {
            **report, **difference.as_dict(), "held": difference.held, "mending": mending, "removing": removing,
        }  # fmt: skip

    def _unknown_codes(self, reports: list[dict[str, Any]], wanted: list[str]) -> None:
        """A code that was named and is on none of the locks: a slip, worth an exit code."""
        seen = {value for report in reports for code in report["foreign"] for value in (code["name"], code["ref"])}
        for name in wanted:
            if name not in seen:
                raise CommandError(f"No foreign code is called {name!r} on these locks.", returncode=1)

    def _print(self, reports: list[dict[str, Any]], *, dry_run: bool) -> None:
        if not reports:
            self.say("There are no locks.")
            return
        names = _stays(reports)
        for report in reports:
            count = sum(len(report[kind]) for kind in KINDS)
            verdict = report["error"] or ("agrees" if not count else several(count, "difference"))
            self.say(f"{report['lock']}: {verdict}")
            rows = [
                (kind, pin["name"], _whose(pin, names), _todo(kind, pin, report))
                for kind in KINDS
                for pin in report[kind]
            ]
            if rows:
                self.print_table(["difference", "name on the lock", "whose", "what"], rows)
            if report["mending"]:
                self.say(f"{report['mending']} will be put right by jobs.")
        if dry_run:
            self.say("Nothing was changed (--dry-run).")


def _remains(report: dict[str, Any], options: dict[str, Any]) -> bool:
    """Whether this lock still needs somebody when the command is through."""
    if report["error"] or (report["changed"] and (options["dry_run"] or not options["put_right"])):
        return True
    return bool(options["dry_run"] and (report["missing"] or report["unwanted"]))


def _whose(pin: dict[str, Any], stays: dict[int | None, str]) -> str:
    return stays.get(pin.get("reservation")) or pin.get("subject", "-")


def _todo(kind: str, pin: dict[str, Any], report: dict[str, Any]) -> str:
    if kind == "foreign" and pin["ref"] in report["removing"]:
        return f"not ours: to be taken off (code {pin['ref']})"
    return TODO[kind].format(what=_changes(pin)) + (f" (code {pin['ref']})" if kind == "foreign" else "")


def _changes(pin: dict[str, Any]) -> str:
    """``ends_at 2026-03-09T14:00:00Z -> 2026-03-10T14:00:00Z``: as asked, and as found."""
    asked = {"name": pin["name"], "state": "on_lock", **pin["asked"]} if "asked" in pin else {}
    return ", ".join(
        f"{what} {_short(asked.get(what))} -> {_short(pin['found'].get(what))}" for what in pin.get("what", [])
    )


def _short(value: str | None) -> str:
    return (value or "-").replace("+00:00", "Z")


def _stays(reports: list[dict[str, Any]]) -> dict[int | None, str]:
    ids = {pin.get("reservation") for r in reports for kind in KINDS for pin in r[kind]} - {None}
    return {stay.pk: str(stay) for stay in Reservation.objects.filter(pk__in=ids)}
