"""docker-compose.yml, .env.example and the secrets they must not hold."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from deploy.environment import MADE_UP, PORTS
from deploy.production import check_compose, compose_command, made_up_environment

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
REQUIRED = sorted(set(re.findall(r"\$\{(\w+):\?", COMPOSE)))
needs_compose = pytest.mark.skipif(compose_command() is None, reason="Docker's compose is not installed here")


def test_every_secret_is_demanded_from_outside() -> None:
    for name in (
        "SECRET_KEY",
        "PIN_SEAL_KEYS",
        "PIN_PEPPER",
        "POSTGRES_PASSWORD",
        "STAYS_WEBHOOK_TOKEN",
        "FLOWER_AUTH",
    ):
        assert name in REQUIRED
        assert not re.search(rf"^\s*{name}: (?!\$\{{|\"\")", COMPOSE, re.MULTILINE)


def test_ports_are_bound_to_loopback_only() -> None:
    bindings = re.findall(r"ports: \[\"([^\"]+)\"\]", COMPOSE)
    assert len(bindings) == COMPOSE.count("ports:") == 2
    assert all(binding.startswith("127.0.0.1:") for binding in bindings)


def test_images_are_pinned() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for image in re.findall(r"image: (\S+:\S+)", COMPOSE) + re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE):
        assert re.search(r":\d+\.\d+", image), image


def test_the_example_names_every_variable_that_is_read() -> None:
    example = set(re.findall(r"^# ([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    settings = (ROOT / "smartlock" / "settings.py").read_text()
    read = set(re.findall(r"(?:env\.\w+|words|integer|secret)\(\s*\"([A-Z_]+)\"", settings))
    assert example >= read | set(MADE_UP) | set(PORTS) | set(REQUIRED)


def test_every_variable_that_is_read_reaches_the_containers() -> None:
    settings = (ROOT / "smartlock" / "settings.py").read_text()
    read = set(re.findall(r"(?:env\.\w+|words|integer|secret)\(\s*\"([A-Z_]+)\"", settings))
    environment = COMPOSE[COMPOSE.index("x-environment") : COMPOSE.index("x-smartlock")]
    assert set(re.findall(r"(?m)^  ([A-Z_]+):", environment)) >= read - {"STATIC_ROOT"}  # the image's own


@needs_compose
def test_compose_accepts_the_file() -> None:
    assert check_compose() == 0


@needs_compose
@pytest.mark.parametrize("name", REQUIRED)
def test_compose_refuses_to_start_without(name: str) -> None:
    environment = {key: value for key, value in made_up_environment().items() if key != name}
    done = compose("config", "--quiet", environment=environment)
    assert done.returncode != 0
    assert f"required variable {name} is missing" in done.stderr


@needs_compose
def test_every_service_has_a_health_check() -> None:
    services = json.loads(compose("config", "--format", "json", environment=made_up_environment()).stdout)["services"]
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "ticker", "beat", "flower"}
    assert [name for name, service in services.items() if not service["healthcheck"].get("test")] == ["migrate"]


def compose(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*(compose_command() or []), "--env-file", "/dev/null", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
