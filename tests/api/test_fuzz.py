"""schemathesis asks everything the OpenAPI document allows, and much that it forbids, of a running server.

Once with made-up ids (what is invalid is refused, what is valid is not), once with real ones (what it does then).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from pytest_django.live_server_helper import LiveServer

from locks import reconcile
from locks.models import Credential, Lock
from reservations.models import Accommodation, Reservation
from scheduler import clock
from scheduler.models import Job
from smartlock.api import tokens
from tests.admin.house import make_house
from tests.locks.fake_door import FakeDoors
from webhooks.models import WebhookEvent

HOOKS = Path(__file__).with_name("keys_for_fuzzing.py")
SECONDS = 300
# Thousands of requests: in parts, so that the processes of pytest-xdist share them. Together they are all addresses.
PARTS = ("^/api/reservations", "^/api/(jobs|queues)", "^/api/(?!reservations|jobs|queues)")
# What SQLite refuses PostgreSQL refuses, too, but for numbers beyond its integers, which test_beyond.py tries on both.
COVERAGE = [pytest.param("coverage", part, marks=pytest.mark.once) for part in PARTS]
RESERVATION, QUEUE = "path.reference", "path.name"
SLUG = "path.slug"

CONFIG = """
continue-on-failure = true
color = false
seed = 1
warnings = false
[generation]
mode = "all"
database = "none"
max-examples = 5
[phases.examples]
enabled = false
[phases.stateful]
enabled = false
[phases.coverage]
unexpected-methods = ["TRACE"]
"""


def known_ids() -> dict[str, Any]:
    """Something real for every place in an address."""
    rows: dict[str, Any] = {
        "credential_id": Credential, "job_id": Job, "event_id": WebhookEvent, "lock_id": Lock, "unit_id": Accommodation,
    }  # fmt: skip
    ids = {f"path.{name}": model.objects.values_list("pk", flat=True)[0] for name, model in rows.items()}
    return {**ids, RESERVATION: f'"{Reservation.objects.all()[0].short_id}"', QUEUE: '"pins"', SLUG: '"read-doors"'}


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize(("phase", "addresses"), [*COVERAGE, ("fuzzing", "/api/")])
def test_schemathesis_finds_nothing(
    phase: str,
    addresses: str,
    live_server: LiveServer,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 0
    monkeypatch.setattr(reconcile, "provider_for", lambda _name: FakeDoors())
    make_house(2, clock.now())
    token = tokens.create("fuzz", ["all"], now=clock.now(), actor="tests")[1]
    ids = known_ids() if phase == "fuzzing" else {}
    lines = "\n".join(f'"{name}" = {value}' for name, value in ids.items())
    (tmp_path / "schemathesis.toml").write_text(f"{CONFIG}\n[parameters]\n{lines}\n")
    words = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{live_server.url}/api/openapi.json", "--phases", phase,
        "--include-path-regex", addresses,
        "--header", f"Authorization: Bearer {token}", "--checks", "all", "--workers", "1",
    ]  # fmt: skip
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS), "COLUMNS": "150"}
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
