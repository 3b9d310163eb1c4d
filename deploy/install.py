"""Installs the locked dependencies into .venv; a second call finds the stamp and returns at once.

    python -m deploy.install [--dev]

Runs on any Python, before anything is installed, so the standard library has to do. uv is tried first (seconds), plain
pip is the way out (a minute); both check every file against the hashes in the requirements.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV, VAR = ROOT / ".venv", ROOT / "var"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.txt"
RUN, DEV = ROOT / "requirements.txt", ROOT / "requirements-dev.txt"
OLDEST, NEWEST = (3, 11), (3, 13)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a running pip is ended, not left behind
    check_python()
    wanted = DEV if "--dev" in sys.argv[1:] else RUN
    VAR.mkdir(mode=0o700, exist_ok=True)
    with (VAR / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_installed(wanted):
            create_venv()
            install(wanted)
            STAMP.write_text(fingerprint(wanted))


def check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        here = ".".join(map(str, sys.version_info[:2]))
        stop(f"Python {here} is not supported: install 3.11, 3.12 or 3.13, or name one: `make run PYTHON=python3.12`.")


def is_installed(wanted: Path) -> bool:
    """The development requirements contain the others, so they serve for both."""
    if not STAMP.exists() or not PYTHON.exists():
        return False
    return STAMP.read_text() in {fingerprint(wanted), fingerprint(DEV)}


def fingerprint(requirements: Path) -> str:
    return f"{requirements.name} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"


def create_venv() -> None:
    if (
        PYTHON.exists()
        and subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    ):
        return
    print("Creating .venv ...", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        if "ensurepip" in done.stdout + done.stderr or "No module named venv" in done.stderr:
            stop("Python's venv module is missing: install it (Debian, Ubuntu: `apt install python3-venv`), try again.")
        stop(f"the virtual environment could not be created in .venv: {last_line(done.stderr or done.stdout)}")


def install(requirements: Path) -> None:
    print(f"Installing {requirements.name} ...", flush=True)
    STAMP.unlink(missing_ok=True)
    command = ("pip", "install", "--require-hashes", "-r", str(requirements))
    # The second try trusts the machine's own certificates, for networks that look into every connection.
    if has_uv() and (uv(*command) or uv(*command, "--system-certs")):
        return
    print("Without uv this takes about a minute ...", flush=True)
    done = pip("install", "--require-hashes", "-r", str(requirements))
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        stop(
            "the dependencies could not be installed; is the package index reachable from here? (pip's words are above)"
        )


def has_uv() -> bool:
    if subprocess.run([PYTHON, "-m", "uv", "--version"], capture_output=True, check=False).returncode == 0:
        return True
    return pip("install", "--require-hashes", "--no-deps", "-r", str(ROOT / "deploy" / "uv.txt")).returncode == 0


def uv(*arguments: str) -> bool:
    command = [str(PYTHON), "-m", "uv", "--quiet", *arguments, "--python", str(PYTHON)]
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


def stop(sentence: str) -> NoReturn:
    sys.exit(f"SmartLock cannot be installed: {sentence}")


if __name__ == "__main__":
    main()
