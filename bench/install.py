"""Installs what only the measurements need: the npm lock of bench/node, and Procrastinate in a venv of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / "bench" / "node"
REQUIREMENTS = ROOT / "bench" / "requirements.txt"
VENV = ROOT / "var" / "bench" / "venv"
PROCRASTINATE_PYTHON = VENV / "bin" / "python"
OLDEST_NODE = 20


def install() -> None:
    check_node()
    lock = NODE / "package-lock.json"
    _once(lock, NODE / "node_modules" / ".installed", [["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]])
    python = str(PROCRASTINATE_PYTHON)
    _once(
        REQUIREMENTS,
        VENV / ".installed",
        [
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)],
        ],
    )


def check_node() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        sys.exit("The measurements compare with BullMQ and Express: they need Node 20 or newer, with npm, on the PATH.")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        sys.exit(f"The measurements need Node {OLDEST_NODE} or newer; this one is {version}.")


def _once(lock: Path, stamp: Path, commands: Sequence[Sequence[str]]) -> None:
    """Run the commands unless they have succeeded for exactly this lock file before."""
    fingerprint = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    print(f"Installing {lock.relative_to(ROOT)} ...", flush=True)
    for command in commands:
        done = subprocess.run(command, cwd=lock.parent, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(command[:3])} did not work: {(done.stderr or done.stdout).strip()[:1500]}")
    stamp.write_text(fingerprint)
