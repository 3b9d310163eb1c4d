"""What one page costs: `python -m bench.pages NAME ...` → {name: {"ms", "queries", "slowest", "kb", "seconds"}}.

The page is asked for twice through Django's own test client, as an administrator; the second time counts. A statement
is timed from here, with its way to the server and back; ``seconds`` is the whole page, Python included.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from bench.measurements.pages import ADDRESSES, PAGES  # noqa: E402
from reservations.models import Reservation  # noqa: E402
from scheduler import clock  # noqa: E402
from scheduler.models import Job  # noqa: E402


class Stopwatch:
    """Around every statement: how many there were, and how long they took."""

    def __init__(self) -> None:
        self.took: list[tuple[float, str]] = []

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.took.append(((time.perf_counter() - started) * 1000, sql))


def measure(name: str) -> dict[str, float]:
    address, client = _address(ADDRESSES[name]), Client(headers={"accept-language": "en"}, SERVER_NAME="127.0.0.1")
    boss, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
    client.force_login(boss)
    watch = Stopwatch()
    for _attempt in range(2):
        watch.took.clear()
        began = time.perf_counter()
        with connection.execute_wrapper(watch):
            response = client.get(address)
        seconds = time.perf_counter() - began
        if response.status_code not in (200, 207, 503):  # 207 and 503 are health's: it answers all the same
            raise SystemExit(f"{address} answered {response.status_code}")
    if "BENCH_SQL" in os.environ:
        for took, sql in sorted(watch.took, reverse=True)[:5]:
            print(f"{took:8.1f} ms  {sql[:600]}", file=sys.stderr)
    total, slowest = sum(took for took, _ in watch.took), max(took for took, _ in watch.took)
    return {
        "ms": total, "slowest": slowest, "queries": len(watch.took), "kb": len(response.content) / 1024,
        "seconds": seconds,
    }  # fmt: skip


def _address(target: str) -> str:
    """``admin:…`` names with ``{stay}`` and ``{job}`` filled in, or an address as it is."""
    now = clock.now()
    stay = Reservation.objects.filter(check_in_at__lte=now).order_by("-check_in_at").first()
    job = Job.objects.exclude(state=Job.State.SCHEDULED).order_by("pk").first()
    if stay is None or job is None:
        raise SystemExit("The database is not filled.")
    known = {"stay": str(stay.pk), "external": stay.external_id, "job": str(job.pk)}
    path, mark, query = target.partition("?")
    name, _, argument = path.partition(" ")
    found = reverse(name, args=[argument.format(**known)] if argument else []) if not name.startswith("/") else name
    return found + mark + query.format(**known)


if __name__ == "__main__":
    print(json.dumps({name: measure(name) for name in sys.argv[1:] or PAGES}))
