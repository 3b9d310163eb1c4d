"""`make run`: everything SmartLock consists of, in the foreground, on one machine, until Ctrl-C.

    lock the folder, environment, ports -> Valkey -> database -> sandbox, Flower, worker, ticker, beat, web -> banner

What is started last is stopped first: web, beat, ticker, worker, Flower, sandbox, Valkey.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from deploy import environment
from deploy.banner import banner
from deploy.console import Console
from deploy.environment import LOOPBACK, EnvironmentProblem
from deploy.guardian import Guardian
from deploy.probe import answers
from deploy.services import ServiceError, free_port, valkey_answers, write_valkey_config
from deploy.supervisor import Child, GaveUp, Program, Supervisor, stopping_on_signals

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
READY_SECONDS = 90.0


def main() -> int:
    os.chdir(ROOT)
    VAR.mkdir(mode=0o700, exist_ok=True)
    try:
        lock = lock_folder(VAR / "run.lock")
        environment.complete(ROOT / ".env", os.environ)
        env = environment.resolve(os.environ, environment.read(ROOT / ".env"), ROOT)
        environment.check_ports(env)
    except EnvironmentProblem as problem:
        print(f"SmartLock does not start: {problem}", file=sys.stderr)
        return 1
    # The guardian keeps the folder locked until the last process has ended, even when this one is killed.
    with lock, Guardian(keep_open=[lock.fileno()]) as guardian:
        return run(env, guardian)


def lock_folder(path: Path) -> TextIO:
    lock = path.open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        raise EnvironmentProblem(
            f"it already runs in this folder (process {owner}) or is just stopping; stop it there with Ctrl-C first."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def run(env: dict[str, str], guardian: Guardian) -> int:
    """Start everything, stay until a stop is asked for, and stop everything; returns the exit code."""
    started = time.monotonic()
    console = Console(VAR / "log", on_hangup=lambda: supervisor.ask_to_stop())
    supervisor = Supervisor(console, guardian)
    noted = VAR / "run.env"
    with stopping_on_signals(supervisor):
        try:
            start_services(supervisor, env)
            environment.note_for_other_terminals(noted, env, ROOT / ".env.example")
            supervisor.run_once(prepare(env))
            if not supervisor.is_stopping:
                supervisor.start(*programs(env))
            silent = supervisor.wait_until_ready(READY_SECONDS)
            if not supervisor.is_stopping:
                console.say(banner(env, time.monotonic() - started, silent))
            supervisor.run()
            code = 0
        except (GaveUp, ServiceError) as problem:
            console.say(f"SmartLock stops: {problem}")
            code = 1
        console.say("Stopping (Ctrl-C again: at once) ...")
        supervisor.stop()
        noted.unlink(missing_ok=True)
        console.say("Everything has stopped.")
    console.close()
    return code


def start_services(supervisor: Supervisor, env: dict[str, str]) -> None:
    """The embedded broker, unless someone has named another one."""
    if env.get("REDIS_URL"):
        return
    command, url = write_valkey_config(VAR / "valkey", free_port())
    env["REDIS_URL"] = url
    supervisor.start(Program("valkey", command, env, is_ready=lambda _: valkey_answers(url), grace=3))
    if supervisor.wait_until_ready(20):
        raise ServiceError("the embedded Valkey does not answer; see var/log/valkey.log, or set REDIS_URL.")


def prepare(env: Mapping[str, str]) -> Program:
    demo = "1" if environment.uses_sandbox(env) else "0"
    return Program("prepare", python("-m", "deploy.prepare"), {**env, "SMARTLOCK_DEMO": demo})


def programs(env: Mapping[str, str]) -> list[Program]:
    """In the order of starting. The graces, Valkey's included, add up to less than 30 seconds."""
    # Celery warns root of pickled messages; ours are JSON, and the settings accept nothing else.
    calm = {**env, "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
    # Nobody speaks HTTP/2 or WebSocket to it: to look at each connection for them costs time.
    speech = ("--interface", "wsgi", "--http", "1", "--no-ws", "--blocking-threads", "16")
    granian = (*speech, "--host", LOOPBACK, "--port", env["PORT"])
    listed = [
        Program(
            "flower",
            celery("flower", f"--address={LOOPBACK}", f"--port={env['FLOWER_PORT']}", "--conf=deploy/flowerconfig.py"),
            flower_environment(env),
            is_ready=serves(f"http://{LOOPBACK}:{env['FLOWER_PORT']}/healthcheck"),
            grace=2,
        ),
        Program("worker", worker("worker", 16, "pins,messages,sync,default"), calm, is_ready=worker_is_ready, grace=8),
        Program("ticker", worker("ticker", 2, "ticks"), calm, is_ready=worker_is_ready, grace=4),
        Program("beat", celery("beat", "--loglevel=info", "--pidfile="), env, grace=3),
        Program(
            "web",
            python("-m", "deploy.one_cpu", "-m", "granian", *granian, "smartlock.wsgi:application"),
            env,
            is_ready=serves(f"http://{LOOPBACK}:{env['PORT']}/health/live"),
            grace=6,
        ),
    ]
    if env.get("TUYA_PUSH_URL"):
        listed.append(Program("push", python("manage.py", "listen_tuya"), env, grace=1))
    if environment.uses_sandbox(env):
        doors = serves(f"http://{LOOPBACK}:{env['SANDBOX_PORT']}/sandbox/doors")
        listed.insert(0, Program("sandbox", python("-m", "sandbox"), env, is_ready=doors, grace=2))
    return listed


def worker(name: str, threads: int, queues: str) -> list[str]:
    options = ["-P", "threads", "-c", str(threads), "-Q", queues, "-n", f"{name}@%h", "--loglevel=info"]
    return celery("worker", *options, "--without-gossip", "--without-mingle")


def worker_is_ready(child: Child) -> bool:
    """Celery says so itself; asking it over the broker would cost another Python."""
    return child.has_said(" ready.")


def serves(url: str) -> Callable[[Child], bool]:
    return lambda _: answers(url)


def flower_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Flower reads every FLOWER_ variable as an option of its own, and means something else by FLOWER_AUTH."""
    own = {name: value for name, value in env.items() if name not in ("FLOWER_AUTH", "FLOWER_URL")}
    # In the environment, because everybody can read a command line.
    return {**own, "FLOWER_BASIC_AUTH": env["FLOWER_AUTH"]} if env.get("FLOWER_AUTH") else own


def celery(*arguments: str) -> list[str]:
    return python("-m", "celery", "--quiet", "-A", "smartlock", *arguments)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


if __name__ == "__main__":
    sys.exit(main())
