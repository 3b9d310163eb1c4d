"""Puts the lines that the tests left in a directory together; a program of its own, because it needs Django set up."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django


def main(directory: Path) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.faults import table
    from tests.faults.cases import CASES

    lines = {}
    for path in directory.iterdir():
        act, fault, radio = path.name.split(".")
        lines[act, fault, radio] = path.read_text()
    table.write(lines, CASES)
    print(f"{table.DOC}: {len(lines)} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
