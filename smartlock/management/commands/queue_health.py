"""`manage.py queue_health`: the same answer as GET /health/queues, for a terminal or a monitor."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from scheduler import clock
from smartlock import health
from smartlock.management.printing import OperatorCommand

CODES = {"healthy": 0, "degraded": 1, "unhealthy": 2}
COUNTS = ("waiting", "active", "completed", "failed", "delayed", "paused")


class Command(OperatorCommand):
    help = "How the queues are. Exit code 0 healthy, 1 degraded (a queue is not well), 2 unhealthy (nothing can run)."

    def add_arguments(self, parser: CommandParser) -> None:
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        report = health.queues(now=clock.now())
        if options["json"]:
            self.print_json(report)
        else:
            self._print(report)
        if code := CODES[report["status"]]:
            raise SystemExit(code)

    def _print(self, report: dict[str, Any]) -> None:
        self.say_state(f"The queues are {report['status']}.", report["status"])
        self.say(f"Redis is {'connected' if report['redis']['connected'] else 'not connected'}.")
        beat = report["dispatcher"]["last_beat"]
        state = "ticks" if report["dispatcher"]["ticking"] else "is silent"
        self.say(f"The dispatcher {state}; its last beat: {beat or 'none yet'}.")
        self.say()
        rows = []
        for queue in report["queues"]:
            state = "unhealthy" if not queue["healthy"] else "paused" if queue["is_paused"] else "healthy"
            rows.append((queue["name"], state, *(queue["stats"][name] for name in COUNTS), queue["overdue"]))
        if rows:
            self.print_table(["queue", "state", *COUNTS, "overdue"], rows)
        for queue in report["queues"]:
            if queue["problem"]:
                self.say(queue["problem"])
