"""`make run` itself, in a copy of this folder: it comes up, is what it says, and goes without a trace."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy import environment
from deploy.services import free_port
from tests.deploy.test_supervisor import ROOT, wait_until

LEFT_BEHIND = shutil.ignore_patterns(".venv", ".git", ".env", "var", "node_modules", ".*_cache", "__pycache__", "tests")
PROCESSES = {"valkey", "sandbox", "flower", "worker", "ticker", "beat", "web"}


class Run:
    def __init__(self, folder: Path, ports: dict[str, str]) -> None:
        self.ports = ports
        self._output = folder / "said.txt"
        inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.run"],
                cwd=folder,
                env={**inherited, **ports},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def get(self, port: str, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.ports[port]}{path}", timeout=20, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("smartlock") / "a folder"
    shutil.copytree(ROOT, copy, ignore=LEFT_BEHIND)
    return copy


@pytest.fixture
def running(folder: Path) -> Iterator[Run]:
    run = Run(folder, {name: str(free_port()) for name in environment.PORTS})
    yield run
    if run.process.poll() is None:
        run.process.kill()  # the guardian does the rest
        run.process.wait()


def processes_in(folder: Path) -> dict[int, str]:
    """Everything that runs with this working directory, and the words on its command line (where there is a /proc)."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
    return found


@pytest.mark.timeout(180)
def test_it_comes_up_answers_and_leaves_nothing(running: Run, folder: Path) -> None:
    wait_until(lambda: "SmartLock is up" in running.said() or running.process.poll() is not None, "the banner", 120)
    said = running.said()
    assert re.search(r"SmartLock is up after \d+ s", said), said
    values = environment.read(folder / ".env")
    assert f"operator / {values['OPERATOR_PASSWORD']}" in said
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600

    assert running.get("PORT", "/health/live").status_code == 200
    assert len(running.get("SANDBOX_PORT", "/sandbox/doors").json()) == 3
    login = tuple(values["FLOWER_AUTH"].split(":", 1))
    for path in ("/workers", "/admin/flower/workers"):
        assert running.get("FLOWER_PORT", path).status_code == 401, "Flower asks who is there"
        assert running.get("FLOWER_PORT", path, auth=login).status_code == 200
    assert running.get("PORT", "/admin/flower/").headers["location"].startswith("/admin/login/")

    if Path("/proc").exists():
        runs = processes_in(folder)
        assert len(runs) >= len(PROCESSES), "the check at the end sees what runs"
        web = [number for number, words in runs.items() if "granian" in words]
        assert [len(os.sched_getaffinity(number)) for number in web] == [1] * len(web) != []

    twin = subprocess.run([sys.executable, "-m", "deploy.run"], cwd=folder, capture_output=True, text=True, check=False)
    assert twin.returncode == 1
    assert twin.stderr.startswith(
        f"SmartLock does not start: it already runs in this folder (process {running.process.pid})"
    )

    running.process.terminate()
    assert running.process.wait(30) == 0, running.said()
    assert processes_in(folder) == {}
    assert "did not stop in time" not in running.said()
    assert {log.stem for log in (folder / "var" / "log").glob("*.log")} >= PROCESSES
    assert not (folder / "var" / "run.env").exists()


def test_a_taken_port_is_one_sentence(folder: Path) -> None:
    ports = {name: str(free_port()) for name in environment.PORTS}
    ports["SANDBOX_PORT"] = ports["PORT"]
    done = subprocess.run(
        [sys.executable, "-m", "deploy.run"],
        cwd=folder,
        env={**os.environ, **ports},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr
        == f"SmartLock does not start: PORT and SANDBOX_PORT are both {ports['PORT']}: change one of them.\n"
    )
