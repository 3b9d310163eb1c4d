"""`manage.py reconcile_locks`: what should be on each lock against what the lock lists."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Q, QuerySet

from locks import reconcile
from locks.errors import Configuration, DoorError
from locks.models import Lock
from reservations.models import Reservation
from scheduler import clock
from smartlock.management.printing import OperatorCommand, several


class Command(OperatorCommand):
    help = (
        "Compare every lock with our records: missing and unwanted PINs are put right by jobs, foreign ones are only "
        "reported. Exit code 0 when all agree or are being mended; 1 when differences remain (--dry-run), a lock "
        "cannot be read, or no lock fits; 2 when the provider's login is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lock", help="only this one: its number, name or device id")
        parser.add_argument("--dry-run", action="store_true", help="show the difference, change nothing")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        locks = self._chosen(options["lock"])
        reports = [self._reconcile(lock, dry_run=options["dry_run"]) for lock in locks]
        if options["json"]:
            self.print_json(reports)
        else:
            self._print(reports, dry_run=options["dry_run"])
        open_ends = any(r["missing"] or r["unwanted"] for r in reports) and options["dry_run"]
        if open_ends or any(r["error"] for r in reports):
            raise SystemExit(1)

    def _chosen(self, reference: str | None) -> QuerySet[Lock]:
        locks = Lock.objects.order_by("name")
        if reference is None:
            return locks
        number = Q(pk=int(reference)) if reference.isascii() and reference.isdigit() else Q()
        chosen = locks.filter(Q(name=reference) | Q(device_id=reference) | number)
        if not chosen:
            raise CommandError(f"No lock is known as {reference!r}.", returncode=1)
        return chosen

    def _reconcile(self, lock: Lock, *, dry_run: bool) -> dict[str, Any]:
        now = clock.now()
        report: dict[str, Any] = {"lock": lock.name, "id": lock.pk, "device_id": lock.device_id, "error": None}
        try:
            difference = reconcile.inspect(lock, now=now)
        except Configuration as error:
            raise CommandError(str(error), returncode=2) from None
        except DoorError as error:
            return {**report, "error": str(error), **reconcile.Difference().as_dict(), "mending": 0}
        mending = 0 if dry_run else reconcile.mend(lock, difference, now=now, actor="command")
        return {**report, **difference.as_dict(), "mending": mending}

    def _print(self, reports: list[dict[str, Any]], *, dry_run: bool) -> None:
        if not reports:
            self.say("There are no locks.")
            return
        names = _stays(reports)
        for report in reports:
            count = sum(len(report[kind]) for kind in ("missing", "unwanted", "foreign"))
            self.say(
                f"{report['lock']}: {report['error'] or ('agrees' if not count else several(count, 'difference'))}"
            )
            rows = [
                (kind, pin["name"], names.get(pin.get("reservation"), "not ours: left alone"))
                for kind in ("missing", "unwanted", "foreign")
                for pin in report[kind]
            ]
            if rows:
                self.print_table(["difference", "name on the lock", "stay"], rows)
            if report["mending"]:
                self.say(f"{report['mending']} will be put right by jobs.")
        if dry_run:
            self.say("Nothing was changed (--dry-run).")


def _stays(reports: list[dict[str, Any]]) -> dict[int | None, str]:
    ids = {pin["reservation"] for r in reports for kind in ("missing", "unwanted") for pin in r[kind]}
    return {stay.pk: str(stay) for stay in Reservation.objects.filter(pk__in=ids)}
