"""Runs a program of the tests apart from everything real: in memory, and with addresses where nobody listens."""

from __future__ import annotations

import os
import sys

# Settled before anything is imported, whatever the shell or `.env` says; the same order of sets in every run.
FIXED = {
    "PYTHONHASHSEED": "0",
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "DATABASE_URL": "sqlite://:memory:",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "memorymail://",
    "STAYS_BASE_URL": "",
    "TUYA_BASE_URL": "http://127.0.0.1:1",
}


def begin_anew(module: str) -> None:
    """Replace this process by one with that environment, unless it has it already."""
    if any(os.environ.get(name) != value for name, value in FIXED.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **FIXED})
