"""Unique signed events over 16 connections, each committed before it is answered with 200."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from bench.contenders import OURS, node
from bench.measurement import Goal, Measurement, Sample, Size
from bench.settings import WEBHOOK_TOKEN
from bench.world import NODE, BenchError, Process, World
from deploy.run import programs
from deploy.services import free_port

SECONDS, CONNECTIONS = 20.0, 16
EXPRESS_BULLMQ, EXPRESS = "Express, pg, two BullMQ adds", "Express, pg"


def run(world: World, name: str, size: Size) -> Sample:
    world.valkey.flush()
    url = world.fresh("turn")
    env = world.environment(url, PORT=str(free_port()))
    address = f"http://127.0.0.1:{env['PORT']}/webhooks/stays/{WEBHOOK_TOKEN}/"
    seconds = max(3.0, SECONDS * min(1.0, size.factor))
    with server(world, name, env) as process:
        cpu = process.cpu_seconds()
        command = [node(), str(NODE / "loader.js"), address, str(seconds), str(CONNECTIONS)]
        answer: Sample = json.loads(world.run("loader", command, env, seconds + 60).splitlines()[-1])
        spent = process.cpu_seconds() - cpu
    stored = world.sql("SELECT count(*) FROM webhooks_webhookevent", url)[0][0]
    per_event = spent * 1000 / stored if stored else float("nan")
    return {**answer, "bad": answer["refused"] + answer["failed"], "cpu_ms": per_event}


@contextlib.contextmanager
def server(world: World, name: str, env: dict[str, str]) -> Iterator[Process]:
    if name == OURS:
        web = next(program for program in programs(env) if program.name == "web")
        with world.running("web", list(web.command), env) as process:
            wait_until_live(f"http://127.0.0.1:{env['PORT']}/health/live")
            yield process
        return
    variant = ["bullmq"] if name == EXPRESS_BULLMQ else []
    with world.running("express", [node(), str(NODE / "webhook.js"), *variant], env, "ready") as process:
        yield process


def wait_until_live(address: str, patience: float = 30.0) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.05)
    raise BenchError(f"nothing answers at {address}")


WEBHOOK = Measurement(
    key="webhook",
    title="Webhook",
    what="Unique signed events of about a kilobyte over 16 kept-alive connections for 20 s, from one loader; each is "
    "verified, stored and committed (fsync on) before it is answered with 200. SmartLock: the web process of "
    "`make run`. The event's row is its inbox: in the same commit it asks for one sorting job a second, and the jobs "
    "of the reservations are made later, by a worker that does not run here (nor does one of BullMQ's). Express "
    "checks the same signature and inserts into the same table; with BullMQ it adds two jobs.",
    contenders=(OURS, EXPRESS_BULLMQ, EXPRESS),
    metrics={"per_second": "events per s", "p50": "p50, ms", "p99": "p99, ms", "cpu_ms": "server's CPU per event, ms",
             "bad": "not 200"},
    goals=(
        Goal("at least 1.8 times Express with BullMQ",
             lambda t: t.ratio(OURS, EXPRESS_BULLMQ, "per_second"), at_least=1.8),
        Goal("at least 1.2 times Express with pg only", lambda t: t.ratio(OURS, EXPRESS, "per_second"), at_least=1.2),
        Goal("p99 lower than Express with BullMQ", lambda t: t.ratio(OURS, EXPRESS_BULLMQ, "p99"), at_most=1),
        Goal("p99 lower than Express with pg only", lambda t: t.ratio(OURS, EXPRESS, "p99"), at_most=1),
        Goal("every event answered with 200", lambda t: t.most(OURS, "bad"), at_most=0),
    ),
    run=run,
)  # fmt: skip
