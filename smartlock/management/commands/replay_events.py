"""`manage.py replay_events`: have webhook events processed once more: by id, state, reservation or time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from scheduler import clock
from smartlock.management.arguments import ids as numbers
from smartlock.management.printing import OperatorCommand, moment, several
from webhooks import services
from webhooks.models import WebhookEvent

SHOWN = 50


class Command(OperatorCommand):
    help = (
        "Process webhook events once more: safe to repeat, behind whatever is new, at WEBHOOK_RATE reservations a "
        "second. Exit code 1 when none fits, 2 when it is not said which."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--id", action="append", type=int, metavar="EVENT_ID", help="this one; may be repeated")
        parser.add_argument(
            "--state", action="append", choices=WebhookEvent.State.values, help="in this state; may be repeated"
        )
        parser.add_argument("--from", dest="start", metavar="TIME", help="that came since then: 2026-03-05[T14:00]")
        parser.add_argument("--to", dest="end", metavar="TIME", help="that came before then; of a day, all of it")
        parser.add_argument("--reservation", help="about this one: Stays' _id or short id")
        parser.add_argument("--dry-run", action="store_true", help="only show which would be processed again")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now = clock.now()
        asked: dict[str, Any] = {
            "ids": numbers("--id", options["id"]) or None, "states": options["state"] or [],
            "external_id": options["reservation"] or "",
            "start": _instant(options["start"]), "end": _instant(options["end"], whole_day=True),
        }  # fmt: skip
        if not any(asked.values()):
            raise CommandError("Say which events: --id, --state, --from, --to or --reservation.", returncode=2)
        events = services.chosen(**asked)
        ids = list(events.order_by("received_at", "id").values_list("pk", flat=True))
        replayed = 0
        if ids and not options["dry_run"]:
            replayed = services.replay(events, now=now, actor="command")
        if options["json"]:
            self.print_json({"dry_run": options["dry_run"], "replayed": replayed, "events": ids})
        elif not ids:
            self.say("No such event was stored.")
        elif options["dry_run"]:
            self._print(ids, now)
            self.say(f"Nothing was changed (--dry-run): {several(len(ids), 'event')} would be processed again.")
        else:
            self.say(f"{several(replayed, 'event')} will be processed again.")
        if not ids:
            raise SystemExit(1)

    def _print(self, ids: list[int], now: datetime) -> None:
        rows = WebhookEvent.objects.filter(pk__in=ids[:SHOWN]).defer("body", "headers").order_by("received_at", "id")
        shown = [(e.pk, e.state, e.action, e.external_id, moment(e.received_at, now), e.reason) for e in rows]
        self.print_table(["id", "state", "action", "about", "received", "reason"], shown)
        if len(ids) > SHOWN:
            self.say(f"… and {len(ids) - SHOWN} more.")


def _instant(text: str | None, *, whole_day: bool = False) -> datetime | None:
    """A day or a time by the site's clock, unless it names its own offset."""
    if not text:
        return None
    try:
        if len(text) == len("2026-03-05"):
            day = date.fromisoformat(text) + timedelta(days=1 if whole_day else 0)
            at = datetime.combine(day, time())
        else:
            at = datetime.fromisoformat(text)
        return (at if at.tzinfo else timezone.make_aware(at)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise CommandError(f"{text!r} is not a time such as 2026-03-05 or 2026-03-05T14:00.", returncode=2) from None
