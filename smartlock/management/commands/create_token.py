"""`manage.py create_token NAME --scope …`: a key for a script that uses the API, shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser

from scheduler import clock
from smartlock.api import scopes, tokens
from smartlock.management.printing import OperatorCommand


class Command(OperatorCommand):
    help = (
        "Make a token for the API and print it, once: only a hash of it is kept. The only line on standard output is "
        "the token, so that a script can take it. Exit code 2 when the name is taken or a scope is unknown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who uses it; the audit trail shows api:NAME")
        parser.add_argument(
            "--scope", action="append", default=[], metavar="SCOPE",
            help=f"may be given several times: {', '.join([*scopes.GROUPS, *scopes.ALL])}",
        )  # fmt: skip
        parser.add_argument("--days", type=int, metavar="N", help="it expires after so many days (never)")
        self.add_json(parser)

    def handle(self, **options: Any) -> None:
        now, days = clock.now(), options["days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError("--days takes a whole number from 1 to 36500.", returncode=2)
        expires_at = None if days is None else now + timedelta(days=days)
        try:
            token, text = tokens.create(
                options["name"], options["scope"], now=now, actor="command", expires_at=expires_at
            )  # fmt: skip
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        if options["json"]:
            self.print_json({
                "name": token.name, "token": text, "scopes": token.scopes, "expires_at": token.expires_at
            })  # fmt: skip
            return
        self.say(text)
        until = f", until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
        self.hint(f"{token.name} may: {', '.join(token.scopes)}{until}. The token is not shown again.")
