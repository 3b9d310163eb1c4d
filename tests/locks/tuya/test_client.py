"""What goes over the wire, what is cured on the spot, and what a failure is called."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from locks.errors import Configuration, DoorError, Transient, UnknownOutcome
from locks.tuya import TuyaProvider
from locks.tuya.client import TuyaClient
from locks.tuya.clock import ServerClock
from locks.tuya.signing import sign
from tests.locks.tuya.fake_cloud import CLIENT_ID, LOCK, SECRET, TOKEN, FakeCloud, now_ms, ok, refusal

PATH = f"{LOCK}/temp-passwords"


@pytest.fixture
def client(provider: TuyaProvider) -> TuyaClient:
    return provider.client


def read(client: TuyaClient) -> object:
    return client.read(PATH, what="Listing", query={"valid": "true"})


def write(client: TuyaClient) -> object:
    return client.write("POST", PATH, what="Writing", body={"name": "João", "n": 1})


def test_a_call_is_signed_over_the_bytes_sent(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("POST", PATH, ok({"id": 1}))
    assert write(client) == {"id": 1}
    request = cloud.seen("POST", PATH)[0]
    assert request.content == '{"name":"João","n":1}'.encode()
    assert request.headers["access_token"] == TOKEN
    assert request.headers["sign"] == sign(
        secret=SECRET,
        client_id=CLIENT_ID,
        access_token=TOKEN,
        t=request.headers["t"],
        nonce=request.headers["nonce"],
        method="POST",
        url=PATH,
        body=request.content,
    )
    assert "secret" not in request.headers


def test_query_is_sorted_on_the_wire(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", PATH, ok([]))
    client.read(PATH, what="Listing", query={"b": "2", "a": "1"})
    assert cloud.requests[-1].url.query == b"a=1&b=2"


def test_delete_and_get_send_no_body(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("DELETE", PATH, ok(True))
    client.write("DELETE", PATH, what="Removing")
    assert cloud.requests[-1].content == b""
    assert "content-type" not in cloud.requests[-1].headers


def test_token_call_is_signed_without_a_token(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", PATH, ok([]))
    read(client)
    token_call = cloud.requests[0]
    assert token_call.url.raw_path == b"/v1.0/token?grant_type=1"
    assert "access_token" not in token_call.headers


def test_older_name_of_the_expiry_is_read(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", "/v1.0/token", ok({"access_token": "x", "expire": 7200}))
    cloud.reply("GET", PATH, ok([]))
    read(client)
    assert cloud.requests[-1].headers["access_token"] == "x"


@pytest.mark.parametrize("call", [read, write])
@pytest.mark.parametrize("code", [1010, 1011, 1012, 1400])
def test_a_refused_token_is_renewed_once(
    client: TuyaClient, cloud: FakeCloud, code: int, call: Callable[[TuyaClient], object]
) -> None:
    cloud.reply("GET", PATH, refusal(code), ok([1]))
    cloud.reply("POST", PATH, refusal(code), ok([1]))
    assert call(client) == [1]
    assert len(cloud.seen("GET", "/v1.0/token")) == 2
    assert client.calls == 4


def test_a_token_refused_twice_is_given_up(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", PATH, refusal(1010))
    with pytest.raises(Transient):
        read(client)
    assert len(cloud.seen("GET", PATH)) == 2


def test_a_wrong_clock_is_set_by_the_servers(client: TuyaClient, cloud: FakeCloud) -> None:
    ahead_ms = 600_000

    def judge(request: httpx.Request) -> httpx.Response:
        server = now_ms() + ahead_ms
        in_time = abs(int(request.headers["t"]) - server) < 300_000
        token = ok({"access_token": TOKEN, "expire_time": 7200}, t=server)
        return token if in_time else refusal(1013, t=server)

    cloud.reply("GET", "/v1.0/token", judge)
    cloud.reply("GET", PATH, ok([], t=now_ms() + ahead_ms))
    assert read(client) == []
    assert len(cloud.seen("GET", "/v1.0/token")) == 2
    assert abs(client.clock.now_ms() - now_ms() - ahead_ms) < 5_000


def test_a_clock_that_stays_wrong_is_given_up(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", PATH, refusal(1013))
    with pytest.raises(Transient):
        read(client)
    assert len(cloud.seen("GET", PATH)) == 2


def test_our_clock_is_believed_unless_proven_wrong() -> None:
    clock, now = ServerClock(), time.time()
    for server_ms, expected in [(now * 1000, 0), ((now + 9) * 1000, 8000), ((now - 9) * 1000, -8000)]:
        clock.learn(int(server_ms), sent=now - 1, received=now + 1)
        assert abs(clock.now_ms() - now_ms() - expected) < 500


LOST: list[object] = [
    httpx.ReadTimeout("late"),
    httpx.WriteError("cut"),
    httpx.RemoteProtocolError("closed"),
    httpx.Response(500, text="oops"),
    httpx.Response(502, json={"error": "bad gateway"}),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, json=["not", "an", "envelope"]),
    refusal(500),
]


@pytest.mark.parametrize("reply", LOST)
def test_a_lost_answer_is_transient_for_reads_and_unknown_for_writes(
    client: TuyaClient, cloud: FakeCloud, reply: httpx.Response
) -> None:
    cloud.reply("GET", PATH, reply)
    cloud.reply("POST", PATH, reply)
    with pytest.raises(Transient):
        read(client)
    with pytest.raises(UnknownOutcome):
        write(client)
    # Above all: sent once.
    assert len(cloud.seen("POST", PATH)) == 1


@pytest.mark.parametrize(
    "reply", [httpx.ConnectError("refused"), httpx.ConnectTimeout("far"), httpx.Response(429, text="slow down")]
)
def test_a_write_that_never_arrived_is_only_transient(
    client: TuyaClient, cloud: FakeCloud, reply: httpx.Response
) -> None:
    cloud.reply("POST", PATH, reply)
    with pytest.raises(Transient):
        write(client)


def test_a_lost_token_call_never_makes_a_write_doubtful(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", "/v1.0/token", httpx.ReadTimeout("late"))
    with pytest.raises(Transient):
        write(client)


def test_a_refusal_counts_whatever_its_http_status(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("POST", PATH, httpx.Response(403, json={"success": False, "code": 28841002}))
    with pytest.raises(Configuration) as caught:
        write(client)
    assert caught.value.brand_code == "tuya_28841002"


def test_a_code_may_be_text_or_missing(client: TuyaClient, cloud: FakeCloud) -> None:
    cloud.reply("GET", PATH, httpx.Response(200, json={"success": False, "code": "1106"}))
    with pytest.raises(Configuration):
        read(client)
    cloud.reply("GET", PATH, httpx.Response(200, json={"success": False}))
    with pytest.raises(Transient):
        read(client)


@pytest.mark.parametrize("result", [None, {}, {"access_token": "", "expire_time": 1}, {"access_token": "x"}])
def test_an_answer_without_token_is_transient(client: TuyaClient, cloud: FakeCloud, result: object) -> None:
    cloud.reply("GET", "/v1.0/token", ok(result))
    with pytest.raises(DoorError) as caught:
        read(client)
    assert type(caught.value) is Transient
