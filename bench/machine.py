"""What it ran on: processor, memory, system, and the versions of everything that takes part."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.install import PROCRASTINATE_PYTHON
from bench.world import NODE, ROOT, World

PYTHON_PACKAGES = ("django", "celery", "kombu", "redis", "psycopg", "granian", "bcrypt")
NODE_PACKAGES = ("bullmq", "ioredis", "express", "pg", "bcrypt")


def describe(world: World) -> str:
    """The chapter on the machine, as Markdown."""
    with world.valkey.client() as client:
        valkey = client.info()
    procrastinate = _said([str(PROCRASTINATE_PYTHON), "-c", "import procrastinate as p; print(p.__version__)"])
    rows = {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "PostgreSQL": str(world.sql("SHOW server_version")[0][0]) + ", fsync on",
        "Valkey": str(valkey.get("valkey_version") or valkey.get("redis_version")),
        "Python": f"{platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in PYTHON_PACKAGES),
        "Node": _said(["node", "--version"]) + "; " + ", ".join(f"{name} {_node(name)}" for name in NODE_PACKAGES),
        "Procrastinate": procrastinate,
    }
    return "| machine | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items()) + "\n"


def provenance(rounds: int, scale: float) -> str:
    """When, which commit, how busy the machine was at the start."""
    commit = _said(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]) or "unknown commit"
    changed = " with changes" if _said(["git", "-C", str(ROOT), "status", "--porcelain", "-uno"]) else ""
    load = os.getloadavg()[0]
    shrunk = "" if scale == 1 else f", only {scale:g} of the size"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {commit}{changed}, {rounds} rounds{shrunk}, load before {load:.1f}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _node(package: str) -> str:
    try:
        return str(json.loads((NODE / "node_modules" / package / "package.json").read_text())["version"])
    except OSError:
        return "?"


def _said(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
