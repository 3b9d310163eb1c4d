"""`make simulate SEEDS=5000` runs so many new stories; `make simulate SEED=123` replays one, step by step."""

from __future__ import annotations

import os
import sys


def main() -> int:
    import django

    django.setup()
    from tests.simulation.campaign import command

    return command(sys.argv[1:])


if __name__ == "__main__":
    # The same order of sets and the same SQLite in every run; settled before anything is imported.
    fixed = {"PYTHONHASHSEED": "0", "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": "sqlite://:memory:"}
    if any(os.environ.get(name) != value for name, value in fixed.items()):
        os.execve(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]], {**os.environ, **fixed})
    sys.exit(main())
