"""Makes the database ready before the processes start: tables, the operator's account, static files, the first demo.

Run by `make run` as a process of its own, with the environment it will give to the others.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import django
import redis
from django.core.management import call_command, get_commands

ROOT = Path(__file__).resolve().parent.parent
OPERATOR = "operator"


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
    sys.path.insert(0, str(ROOT))
    django.setup()
    check_services()
    call_command("migrate", interactive=False, verbosity=0)
    print("The database is up to date.")
    collect_static(ROOT / "var" / "static.stamp")
    if ensure_operator():
        (ROOT / "var" / "demo-wanted").touch()
    seed_demo(ROOT / "var" / "demo-wanted")


def check_services() -> None:
    """One sentence now instead of five processes that fail in their own words."""
    from django.conf import settings
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as problem:
        sys.exit(f"The database of DATABASE_URL does not answer: {problem}")
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError) as problem:
        sys.exit(f"The Redis of REDIS_URL does not answer: {problem}")


def ensure_operator() -> bool:
    """Create the operator's account if it is missing; its password is read from .env only now, never reset later."""
    from django.contrib.auth import get_user_model

    if get_user_model().objects.filter(username=OPERATOR).exists():
        return False
    os.environ["DJANGO_SUPERUSER_PASSWORD"] = os.environ["OPERATOR_PASSWORD"]
    email = os.environ.get("OPERATOR_EMAIL", "").split(",")[0]
    call_command("createsuperuser", interactive=False, username=OPERATOR, email=email, verbosity=0)
    print(f"The account `{OPERATOR}` is created.")
    return True


def seed_demo(wanted: Path) -> None:
    """The demo is for a database that was empty, and for one that talks to the sandbox; its absence stops nothing."""
    if not wanted.exists() or os.environ.get("SMARTLOCK_DEMO") != "1" or "seed_demo" not in get_commands():
        return
    try:
        call_command("seed_demo")
    except Exception as problem:  # whatever it is, the real program works without the demo
        print(f"The demo data could not be written ({problem}); try `manage.py seed_demo` later.")
    else:
        wanted.unlink()


def collect_static(stamp: Path) -> None:
    """Gather the static files when something about them has changed since the last time."""
    from django.contrib.staticfiles.finders import get_finders

    found = (path for finder in get_finders() for path in _files(finder.list(None)))
    state = hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == state:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=stamp.exists())
    stamp.write_text(state)


def _files(listed: Iterable[tuple[str, object]]) -> Iterable[str]:
    for name, storage in listed:
        path = Path(storage.path(name))  # type: ignore[attr-defined]  # every file storage has it
        yield f"{path} {path.stat().st_mtime_ns} {path.stat().st_size}"


if __name__ == "__main__":
    main()
