"""One token for real processes over a real Redis, renewed by one of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.services import free_port, valkey_answers, write_valkey_config
from tests.sandbox_process import CREDENTIALS, ROOT, WIFI, RunningSandbox, running_sandbox

PROCESSES, THREADS, CALLS = 3, 4, 3
WORKER = """
import sys
from concurrent.futures import ThreadPoolExecutor
import redis
from locks.provider import Device
from locks.tuya import RedisTokenStore, provider_from
url, redis_url, client_id, secret, door, threads, calls = sys.argv[1:]
connection = redis.Redis.from_url(redis_url, socket_timeout=2)
provider = provider_from(url, client_id, secret, RedisTokenStore(connection, client_id))
with ThreadPoolExecutor(int(threads)) as pool:
    list(pool.map(lambda _: [provider.list_pins(Device(door, "wifi")) for _ in range(int(calls))], range(int(threads))))
"""


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command, url = write_valkey_config(tmp_path_factory.mktemp("valkey"), free_port())
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    give_up_at = time.monotonic() + 15
    while not valkey_answers(url):
        assert time.monotonic() < give_up_at, "Valkey did not start"
        time.sleep(0.05)
    yield url
    process.terminate()
    process.wait(10)


def test_processes_and_threads_fetch_one_token_and_replace_a_revoked_one_together(redis_url: str) -> None:
    with running_sandbox() as sandbox:
        # Whoever fetched a token of his own would throw the others out.
        sandbox.fault(WIFI, "one_token_only")
        work_at_once(sandbox, redis_url)
        assert sandbox.calls() == {
            "GET /v1.0/token": 1,
            "GET /v1.0/devices/<device_id>/door-lock/temp-passwords": PROCESSES * THREADS * CALLS,
        }
        sandbox.fault(WIFI, "token_revoked", times=1)
        work_at_once(sandbox, redis_url)
        assert sandbox.calls()["GET /v1.0/token"] == 2


def work_at_once(sandbox: RunningSandbox, redis_url: str) -> None:
    login = (CREDENTIALS["TUYA_CLIENT_ID"], CREDENTIALS["TUYA_CLIENT_SECRET"])
    command = [sys.executable, "-c", WORKER, sandbox.base_url, redis_url, *login, WIFI, str(THREADS), str(CALLS)]
    env = {**os.environ, "PYTHONPATH": str(Path(ROOT))}
    workers = [subprocess.Popen(command, cwd=ROOT, env=env) for _ in range(PROCESSES)]
    assert [worker.wait(60) for worker in workers] == [0] * PROCESSES
