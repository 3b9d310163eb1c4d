"""A program that is kept on one CPU: itself, and what it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TELL = """
import json, os, sys, threading
told = []
thread = threading.Thread(target=lambda: told.append(len(os.sched_getaffinity(0))))
thread.start(); thread.join()
print(json.dumps([len(os.sched_getaffinity(0)), *told, *sys.argv[1:]]))
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux says where a process may run")
def test_the_program_and_its_threads_stay_on_one_cpu_and_get_their_arguments() -> None:
    command = [sys.executable, "-m", "deploy.one_cpu", "-c", TELL, "two words", "--and", "-m"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [1, 1, "two words", "--and", "-m"]
