"""The environment SmartLock runs in: secrets made up once into `.env`, everything else derived at each start.

The environment beats `.env`, and `.env` beats what is derived here. Derived values are never written to `.env`, so that
they follow a changed PORT; what a second terminal needs is noted in `var/run.env` as long as SmartLock runs.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ

LOOPBACK = "127.0.0.1"
PORTS = {"PORT": "8000", "FLOWER_PORT": "5555", "SANDBOX_PORT": "8100", "SANDBOX_SMTP_PORT": "8125"}
MAY_BE_EMPTY = ("SANDBOX_WEBHOOK_URL", "SANDBOX_STATE", "OPERATOR_EMAIL")  # empty there means "none"

# Letters, digits, - and _ only (and = at the end of a key): no reader of .env files needs quotes around them.
MADE_UP: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    "PIN_SEAL_KEYS": lambda: base64.urlsafe_b64encode(os.urandom(32)).decode(),
    "PIN_PEPPER": lambda: secrets.token_urlsafe(32),
    "STAYS_WEBHOOK_TOKEN": lambda: secrets.token_urlsafe(24),
    "STAYS_WEBHOOK_SECRET": lambda: secrets.token_urlsafe(32),
    "STAYS_CLIENT_ID": lambda: secrets.token_hex(12),
    "STAYS_CLIENT_SECRET": lambda: secrets.token_urlsafe(32),
    "TUYA_CLIENT_ID": lambda: secrets.token_hex(10),
    "TUYA_CLIENT_SECRET": lambda: secrets.token_hex(16),
    "FLOWER_AUTH": lambda: f"operator:{secrets.token_urlsafe(24)}",
    "OPERATOR_PASSWORD": lambda: secrets.token_urlsafe(12),
}

# Not for a second terminal: they stand in .env, or have to be given there as well.
SECRETS = {*MADE_UP, "METRICS_TOKEN", "POSTGRES_PASSWORD", "SANDBOX_WEBHOOK_URL"} | {
    f"STANDARD_WEBHOOKS_{what}" for what in ("SECRETS", "TOKEN")
}
SETTING = re.compile(r"^# ([A-Z][A-Z_]+)=", re.MULTILINE)  # as .env.example lists them

HEADING = """\
# Written by `make run`, which makes up what is missing and never changes a line. Not for git.
# Every variable there is, with its meaning: .env.example
"""


class EnvironmentProblem(Exception):
    """Something a person has to change before SmartLock can start; the message is one sentence."""


def read(env_file: Path) -> dict[str, str]:
    """The variables of a .env file, read by the very reader the settings use."""
    values: dict[str, str] = {}
    reader: Any = type("Reader", (environ.Env,), {"ENVIRON": values})  # it would write to os.environ
    if env_file.is_file():
        reader.read_env(str(env_file))
    return values


def complete(env_file: Path, outside: Mapping[str, str]) -> None:
    """Add the secrets that neither the file nor the environment has. A line that is there stays, even an empty one."""
    existing = env_file.read_text() if env_file.is_file() else ""
    known = {*read(env_file), *outside}
    missing = {name: make() for name, make in MADE_UP.items() if name not in known}
    if not missing:
        return
    separator = "" if not existing or existing.endswith("\n") else "\n"
    lines = "".join(f"{name}={value}\n" for name, value in missing.items())
    descriptor = os.open(env_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(("" if existing else HEADING) + separator + lines)


def resolve(outside: Mapping[str, str], from_file: Mapping[str, str], root: Path) -> dict[str, str]:
    """The full environment of the children. REDIS_URL is missing from it when nobody has named a Redis."""
    env = {**from_file, **outside}
    ports = {name: env.get(name) or default for name, default in PORTS.items()}
    for name, value in derived(env, ports, root).items():
        if name not in env or (not env[name] and name not in MAY_BE_EMPTY):
            env[name] = value
    return {**env, **ports, "PYTHONUNBUFFERED": "1"}


def derived(env: Mapping[str, str], ports: Mapping[str, str], root: Path) -> dict[str, str]:
    """What follows from the ports, the folder and the secrets."""
    web, sandbox = f"http://{LOOPBACK}:{ports['PORT']}", f"http://{LOOPBACK}:{ports['SANDBOX_PORT']}"
    token = env.get("STAYS_WEBHOOK_TOKEN", "").split(",")[0].strip()
    return {
        "DEBUG": "0",
        "HTTPS": "0",  # plain http on loopback
        "LOG_JSON": "0",  # a person reads along
        "ALLOWED_HOSTS": f"{LOOPBACK},localhost,[::1]",
        "CSRF_TRUSTED_ORIGINS": f"{web},http://localhost:{ports['PORT']}",
        "DATABASE_URL": "sqlite:///" + quote(str(root / "var" / "smartlock.sqlite3")),
        "TUYA_BASE_URL": sandbox,
        "STAYS_BASE_URL": sandbox,
        "SANDBOX_WEBHOOK_URL": f"{web}/webhooks/stays/{token}/" if token else "",
        "SANDBOX_STATE": str(root / "var" / "sandbox.json"),
        "EMAIL_URL": f"smtp://{LOOPBACK}:{ports['SANDBOX_SMTP_PORT']}",
        "OPERATOR_EMAIL": "operator@example.org",
        "FLOWER_URL": f"http://{LOOPBACK}:{ports['FLOWER_PORT']}",
    }


def uses_sandbox(env: Mapping[str, str]) -> bool:
    """Whether any half of the outside world is the pretend one."""
    sandbox = f"http://{LOOPBACK}:{env['SANDBOX_PORT']}"
    return any(env[name].rstrip("/") == sandbox for name in ("TUYA_BASE_URL", "STAYS_BASE_URL"))


def check_ports(env: Mapping[str, str]) -> None:
    """Refuse a port that cannot be used, before anything is started."""
    taken_by: dict[int, str] = {}
    for name in PORTS:
        if name.startswith("SANDBOX") and not uses_sandbox(env):
            continue
        number = _port_number(name, env[name])
        if number in taken_by:
            raise EnvironmentProblem(f"{taken_by[number]} and {name} are both {number}: change one of them.")
        taken_by[number] = name
        _check_port_is_free(name, number)


def _port_number(name: str, value: str) -> int:
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise EnvironmentProblem(f"{name} must be a port number between 1 and 65535, not {value!r}.")
    return int(value)


def _check_port_is_free(name: str, number: int) -> None:
    with socket.socket() as probe:
        # As the servers do: connections that are just closing do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
        except PermissionError:
            raise EnvironmentProblem(
                f"Port {number} may not be used by this user: set {name} to one above 1023."
            ) from None
        except OSError:
            raise EnvironmentProblem(
                f"Port {number} is already taken: choose another with {name}, as in `{name}={number + 10} make run`."
            ) from None


def note_for_other_terminals(path: Path, env: Mapping[str, str], example: Path) -> None:
    """So that `manage.py` in a second terminal finds the embedded services, and works by the same settings: who is told
    of what it does, in which language, how long before check-in a PIN comes.
    """
    names = [name for name in SETTING.findall(example.read_text()) if name not in SECRETS]
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={env[name]}\n" for name in names if "\n" not in env.get(name, "\n")))
