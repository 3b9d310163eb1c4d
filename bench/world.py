"""The ground of a run: a durable PostgreSQL, a Valkey, and processes that are ended by their own id. Loopback only."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psycopg
from redis import Redis

from bench.settings import environment
from deploy.guardian import Guardian, end
from deploy.services import free_port, postgres, valkey_answers, write_valkey_config

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var" / "bench"
NODE = ROOT / "bench" / "node"
TEMPLATE = "smartlock_template"
# The others write our tables in plain SQL: columns that came later than their statements get what Django would write.
DEFAULTS = r"""
DO $$ DECLARE it record; BEGIN
  FOR it IN SELECT table_name, column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
      AND data_type IN ('character varying', 'text', 'boolean', 'smallint', 'integer', 'jsonb')
      AND column_name NOT LIKE '%\_id'
  LOOP
    EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT %L', it.table_name, it.column_name,
      CASE it.data_type WHEN 'boolean' THEN 'false' WHEN 'jsonb' THEN '{}'
        WHEN 'smallint' THEN '0' WHEN 'integer' THEN '0' ELSE '' END);
  END LOOP;
END $$
"""
PATIENCE_SECONDS = 60.0
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """A measurement could not be made; the message is for a person."""


class Process:
    """A child of the run, with its output in a file."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name, self.popen, self.log = name, popen, log

    def wait_for(self, word: str, seconds: float = PATIENCE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while word not in self.said():
            if self.popen.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{self.name} did not say {word!r}: {self.said()[-2000:]}")
            time.sleep(0.02)

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def cpu_seconds(self) -> float:
        """Processor time of the process and its children so far (Linux)."""
        return sum(_cpu_ticks(pid) for pid in _family(self.popen.pid)) / TICKS_PER_SECOND

    def rss_bytes(self) -> int:
        """Memory of the process and its children (Linux)."""
        return sum(_rss(pid) for pid in _family(self.popen.pid))


class Valkey:
    """A broker that can be killed and started again, empty, at the same address."""

    def __init__(self, guardian: Guardian, directory: Path) -> None:
        self.guardian, self.directory = guardian, directory
        self.command, self.url = write_valkey_config(directory, free_port())
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        with (self.directory / "valkey.log").open("ab") as log:
            self.process = self.guardian.spawn(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not valkey_answers(self.url):
            if time.monotonic() > deadline:
                raise BenchError("Valkey did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, and everything it had written is gone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.guardian.forget(self.process)
        for left in self.directory.glob("appendonlydir/*"):
            left.unlink()

    def client(self) -> Redis:
        return Redis.from_url(self.url)

    def flush(self, **config: Any) -> None:
        with self.client() as client:
            client.flushall()
            for name, value in config.items():
                client.config_set(name, value)


class World:
    """Everything a measurement may use."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            (self.directory / "log").mkdir(parents=True, exist_ok=True)
            self.guardian = stack.enter_context(Guardian())
            self.admin_url = stack.enter_context(postgres(durable=True))
            self.valkey = Valkey(self.guardian, self.directory / "valkey")
            self._stack = stack.pop_all()
        self._migrate()
        return self

    def __exit__(self, *_: object) -> None:
        if self.valkey.process is not None:
            end(self.valkey.process, grace=3)
        self._stack.close()

    # --- databases -------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        self.sql(f"CREATE DATABASE {TEMPLATE}")
        self.run("migrate", [sys.executable, "manage.py", "migrate", "-v0"], self.environment(self.url(TEMPLATE)))
        self.sql(DEFAULTS, self.url(TEMPLATE))

    def url(self, name: str) -> str:
        return self.admin_url.rpartition("/")[0] + "/" + name

    def fresh(self, name: str, template: str = TEMPLATE) -> str:
        """A new copy of the migrated, empty database; gives its URL."""
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def sql(self, statement: str, url: str = "") -> list[tuple[Any, ...]]:
        with psycopg.connect(url or self.admin_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def servers_cpu_seconds(self) -> float:
        """Processor time of PostgreSQL and Valkey so far (Linux)."""
        checkpointer = self.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")[0][0]
        valkey = self.valkey.process.pid if self.valkey.process else 0
        pids = [*_family(_parent(int(checkpointer))), valkey]
        return sum(_cpu_ticks(pid) for pid in pids) / TICKS_PER_SECOND

    # --- processes -------------------------------------------------------------------------------------------------

    def environment(self, database_url: str, **more: str) -> dict[str, str]:
        return {**environment(database_url, self.valkey.url), **more}

    def run(self, name: str, command: Sequence[str], env: Mapping[str, str], seconds: float = 900) -> str:
        """Run a command to its end; gives its standard output."""
        process, log = self._spawn(name, command, env)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"{name} took longer than {seconds:.0f} s") from None
        finally:
            end(process, grace=2)
            self.guardian.forget(process)
        text = log.read_text(errors="replace")
        if code:
            raise BenchError(f"{name} ended with {code}: {text[-3000:]}")
        return text

    @contextlib.contextmanager
    def running(self, name: str, command: Sequence[str], env: Mapping[str, str], ready: str = "") -> Iterator[Process]:
        """Have a process run while the block does; the block begins when it has said ``ready``."""
        popen, log = self._spawn(name, command, env)
        process = Process(name, popen, log)
        try:
            if ready:
                process.wait_for(ready)
            yield process
        finally:
            end(popen, grace=10)
            self.guardian.forget(popen)

    def _spawn(self, name: str, command: Sequence[str], env: Mapping[str, str]) -> tuple[subprocess.Popen[bytes], Path]:
        log = self.directory / "log" / f"{name}.log"
        with log.open("wb") as output:
            return self.guardian.spawn(command, env=env, cwd=ROOT, stdout=output, stderr=output), log


def _family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
    return found


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(int(field) for field in fields[11:15])  # own and waited-for children's, user and system


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _rss(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
