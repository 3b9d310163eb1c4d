"""A made-up production environment, for checks that must see the settings as they will be out there.

python -m deploy.production COMMAND...     runs the command in it (secrets are thrown away afterwards)
python -m deploy.production --compose      checks docker-compose.yml, where Docker's compose is at hand
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.environment import MADE_UP

ROOT = Path(__file__).resolve().parent.parent


def made_up_environment() -> dict[str, str]:
    """No .env is read: what a developer has set for the own machine must not decide here."""
    return {
        **os.environ,
        **{name: make() for name, make in MADE_UP.items()},
        "SMARTLOCK_ENV_FILE": "",
        "DEBUG": "0",
        "HTTPS": "1",
        "ALLOWED_HOSTS": "smartlock.example.org",
        "CSRF_TRUSTED_ORIGINS": "https://smartlock.example.org",
        "DATABASE_URL": "sqlite://:memory:",
        "REDIS_URL": "redis://127.0.0.1:6379/0",
        "POSTGRES_PASSWORD": MADE_UP["STAYS_CLIENT_SECRET"](),
    }


def compose_command() -> list[str] | None:
    """Docker's own compose, as a plugin or on its own; only the second generation knows `config -q` as we need it."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        version = subprocess.run([*command, "version", "--short"], capture_output=True, text=True, check=False)
        if version.returncode == 0 and not version.stdout.startswith("1."):
            return command
    return None


def check_compose() -> int:
    command = compose_command()
    if command is None:
        print("docker-compose.yml is not checked: Docker's compose is not installed here.")
        return 0
    # --env-file: an .env in this folder must not fill in what the file itself forgets to demand.
    arguments = ["--project-directory", str(ROOT), "--env-file", os.devnull, "config", "--quiet"]
    return subprocess.run([*command, *arguments], cwd=ROOT, env=made_up_environment(), check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:] == ["--compose"]:
        sys.exit(check_compose())
    sys.exit(subprocess.run(sys.argv[1:], env=made_up_environment(), check=False).returncode)
