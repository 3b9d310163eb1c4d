"""Runs a command in process and gives what it printed and the exit code a shell would see."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from django.core.management import CommandError, call_command


@dataclass(frozen=True)
class Answer:
    code: int
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*words: str) -> Answer:
    out = io.StringIO()
    code = 0
    try:
        call_command(*words, stdout=out, no_color=True)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else 1
    except CommandError as error:
        code = error.returncode
        out.write(str(error))
    return Answer(code, out.getvalue())
