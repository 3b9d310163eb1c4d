"""What `make` hands to the programs it starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_modules_are_compiled_once_and_not_in_every_process() -> None:
    command = ["make", "--no-print-directory", "--eval=shown: ; @env", "shown"]
    given = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PORT": "8010"}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=True)
    names = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert "PORT" in names
    assert "PYTHONDONTWRITEBYTECODE" not in names
