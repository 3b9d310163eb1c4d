#!/usr/bin/env python
"""Django's command line."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
    find_running_services()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def find_running_services() -> None:
    """While `make run` runs, it notes here where its embedded services are. The environment beats the note."""
    note = Path(__file__).resolve().parent / "var" / "run.env"
    if note.is_file() and "SMARTLOCK_ENV_FILE" not in os.environ:
        for line in note.read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ.setdefault(name, value)


if __name__ == "__main__":
    main()
