"""What `pause_queue` and `resume_queue` share: a queue by its name, a look at what would change, one answer."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock, queues
from scheduler.models import Job, Queue
from smartlock.management.printing import OperatorCommand, several


class QueueLever(OperatorCommand):
    """A subclass says whether it ``pauses``, and what it tells when it did so or found it so."""

    pauses: bool

    def told(self, name: str) -> str:
        raise NotImplementedError

    def told_before(self, queue: Queue) -> str:
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="pins, messages, sync or default")
        parser.add_argument("--dry-run", action="store_true", help="only say what would change")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        name, now = options["name"], clock.now()
        pull = queues.pause if self.pauses else queues.resume
        try:
            before = queues.find(name)
            changed = not options["dry_run"] and pull(name, now=now, actor="command")
        except queues.UnknownQueue as error:
            raise CommandError(str(error), returncode=1) from None
        due = Job.objects.filter(queue=name, state=Job.State.SCHEDULED, run_at__lte=now).count()
        if options["json"]:
            paused = self.pauses if changed else before.is_paused
            self.print_json(
                {"queue": name, "dry_run": options["dry_run"], "paused": paused, "changed": changed, "due": due}
            )
        elif before.is_paused is self.pauses:
            self.say(self.told_before(before))
        elif changed:
            self.say(self.told(name))
        else:
            deed = "paused" if self.pauses else "resumed"
            self.say(f"Nothing was changed (--dry-run): {name} would be {deed}, with {several(due, 'job')} due in it.")
