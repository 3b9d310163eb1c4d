"""The processes of a chaos run: PostgreSQL, Valkey, three workers, two tickers, beat; killed and frozen by name."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg

from deploy.guardian import Guardian, end
from deploy.run import celery, worker
from deploy.services import free_port, postgres, valkey_answers, write_valkey_config
from tests.chaos import outside
from tests.journeys.house import wait_for

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("worker1", "worker2", "worker3")
TICKERS = ("ticker1", "ticker2")
CELERY = (*WORKERS, *TICKERS, "beat")
START_SECONDS = 90.0


class Stage:
    """Who runs under which name; a name that is missing from ``processes`` has been killed."""

    def __init__(self, directory: Path, env: dict[str, str], guardian: Guardian, valkey: list[str]) -> None:
        self.directory = directory
        self.env = env
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.frozen: set[str] = set()
        self._guardian = guardian
        self._valkey = valkey

    def start(self, name: str) -> None:
        """Start it and return at once; Celery's processes find their own way to the broker."""
        with (self.directory / f"{name}.log").open("ab") as log:
            env = {**self.env, "CHAOS_NAME": name, "PGAPPNAME": name}
            self.processes[name] = self._guardian.spawn(self._command(name), env=env, cwd=ROOT, stdout=log, stderr=log)

    def _command(self, name: str) -> list[str]:
        if name == "valkey":
            return self._valkey
        if name == "beat":
            return celery("beat", "--loglevel=info", "--pidfile=")
        queues, threads = ("ticks", 2) if name in TICKERS else ("pins,messages,sync,default", 8)
        return [*worker(name, threads, queues), "--include=tests.chaos.tasks"]

    def wait_until_ready(self) -> None:
        for name in set(self.processes) & {*WORKERS, *TICKERS}:
            wait_for(lambda name=name: " ready." in self.log(name), seconds=START_SECONDS, why=f"{name} is up")  # type: ignore[misc]

    def healthy(self, *names: str) -> list[str]:
        return [name for name in names if name in self.processes and name not in self.frozen]

    def kill(self, name: str) -> int:
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._guardian.forget(process)
        self.frozen.discard(name)
        return process.pid

    def freeze(self, name: str) -> int:
        os.killpg(self.processes[name].pid, signal.SIGSTOP)
        self.frozen.add(name)
        return self.processes[name].pid

    def thaw(self, name: str) -> None:
        if name in self.frozen:
            self.frozen.discard(name)
            os.killpg(self.processes[name].pid, signal.SIGCONT)

    def wipe_valkey(self) -> None:
        shutil.rmtree(self.directory / "valkey" / "appendonlydir", ignore_errors=True)

    def bury_fallen(self) -> list[str]:
        """Who ended without being killed by us, with its last words; started again."""
        fallen = [name for name, process in self.processes.items() if process.poll() is not None]
        stories = []
        for name in fallen:
            process = self.processes.pop(name)
            self._guardian.forget(process)
            stories.append(f"{name} ended with {process.returncode}: {self.log(name)[-600:]}")
            self.start(name)
        return stories

    def log(self, name: str) -> str:
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop_all(self) -> None:
        """Nothing is left to lose: no process needs a polite end."""
        for name in reversed([*self.processes]):
            self.thaw(name)
            end(self.processes[name], grace=0, sign=signal.SIGKILL)
            self._guardian.forget(self.processes.pop(name))


@contextlib.contextmanager
def stage(directory: Path, *, lease: float) -> Iterator[Stage]:
    """PostgreSQL and Valkey run, the tables exist, the environment names them; the caller starts the rest."""
    with contextlib.ExitStack() as stack:
        (directory / "valkey").mkdir(parents=True)
        command, redis_url = write_valkey_config(directory / "valkey", free_port())
        server = stack.enter_context(postgres(options=("track_commit_timestamp=on", "max_connections=400")))
        os.environ.update(_environment(server, redis_url, lease))
        guardian = stack.enter_context(Guardian())
        running = Stage(directory, dict(os.environ), guardian, command)
        stack.callback(running.stop_all)
        running.start("valkey")
        wait_for(lambda: valkey_answers(redis_url), seconds=START_SECONDS, why="Valkey is up")
        _migrate(running.env)
        yield running


def _environment(server: str, redis_url: str, lease: float) -> dict[str, str]:
    """One database for the product, one for the world outside, which no blow touches."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE DATABASE smartlock")
        connection.execute("CREATE DATABASE outside")
    base = server.rpartition("/")[0]
    with psycopg.connect(f"{base}/outside", autocommit=True) as connection:
        connection.execute(outside.TABLES)
    return {
        "DJANGO_SETTINGS_MODULE": "smartlock.settings", "DATABASE_URL": f"{base}/smartlock", "REDIS_URL": redis_url,
        "CHAOS_OUTSIDE": f"{base}/outside", "CHAOS_SERVER": server, "CHAOS_LEASE": str(lease), "CHAOS_NAME": "driver",
        "PGAPPNAME": "driver", "HORIZON_SECONDS": "5", "DISPATCH_SECONDS": "1", "SECRET_KEY": "s" * 50, "HTTPS": "0",
        "PIN_PEPPER": "p" * 40, "PIN_SEAL_KEYS": "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=", "DEBUG": "0",
        "EMAIL_URL": "dummymail://", "STAYS_BASE_URL": "", "TUYA_BASE_URL": "http://127.0.0.1:1",
        "SMARTLOCK_ENV_FILE": "", "LOG_JSON": "1", "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }  # fmt: skip


def _migrate(env: dict[str, str]) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=120)
