"""The chaos run in small: half a minute of storm on real processes, with leases and freezes shortened to fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.stage import ROOT

STORM = {"seed": "duda", "seconds": 30, "rate": 6, "lease": 13, "freeze": 20, "pause": 2.5, "peace": 75}


@pytest.mark.journey
@pytest.mark.long
def test_a_short_storm_loses_doubles_and_hastens_nothing(tmp_path: Path) -> None:
    options = [f"--{name}={value}" for name, value in STORM.items()]
    command = [sys.executable, "-m", "tests.chaos", *options, f"--logs={tmp_path / 'logs'}"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # Should this be cut short, the run's guardian ends its processes.
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=175, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
