"""`make simulate SEEDS=5000` runs so many new stories; `make simulate SEED=123` replays one, step by step."""

from __future__ import annotations

import sys

from tests.apart import begin_anew


def main() -> int:
    import django

    django.setup()
    from tests.simulation.campaign import command

    return command(sys.argv[1:])


if __name__ == "__main__":
    begin_anew("tests.simulation")
    sys.exit(main())
