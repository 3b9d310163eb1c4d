"""Every way in which Stays may fail to answer is a StaysError with a sentence; 404 for one object is an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import httpx
import pytest

from reservations.errors import StaysError, StaysRefused
from reservations.stays.client import ALL_TYPES, StaysClient

Handler = Callable[[httpx.Request], httpx.Response]
START, END = date(2026, 3, 1), date(2026, 3, 31)


def client(handler: Handler) -> StaysClient:
    return StaysClient("https://acme.example/", "login", "hidden-word", transport=httpx.MockTransport(handler))


def answering(status: int, body: bytes) -> StaysClient:
    return client(lambda _request: httpx.Response(status, content=body))


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login_names_the_two_variables_and_no_secret(status: int) -> None:
    with pytest.raises(StaysRefused, match="STAYS_CLIENT_ID and STAYS_CLIENT_SECRET") as refusal:
        answering(status, b"{}").reservation("EV23J")
    assert "hidden-word" not in str(refusal.value)


@pytest.mark.parametrize("status", [301, 400, 429, 500, 502, 503])
def test_any_other_status_is_to_be_read_again_later(status: int) -> None:
    with pytest.raises(StaysError, match=str(status)):
        answering(status, b"{}").reservation("EV23J")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_an_answer_that_is_not_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(StaysError, match="not JSON"):
        answering(200, body).reservation("EV23J")


@pytest.mark.parametrize("body", [b"[]", b"null", b"3", b'"x"'])
def test_a_list_in_place_of_an_object_is_no_answer(body: bytes) -> None:
    with pytest.raises(StaysError, match="not an object"):
        answering(200, body).client("69388e7a0000000000000003")


@pytest.mark.parametrize("body", [b"{}", b"null", b"[1]", b'["EV23J"]'])
def test_a_search_must_answer_a_list_of_objects(body: bytes) -> None:
    with pytest.raises(StaysError, match="not a list"):
        list(answering(200, body).search(START, END))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}"])
def test_a_search_that_is_not_found_is_a_failure_and_not_an_empty_list(body: bytes) -> None:
    with pytest.raises(StaysError):
        list(answering(404, body).search(START, END))


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError])
def test_a_line_that_breaks_is_to_be_read_again_later(error: type[httpx.TransportError]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    with pytest.raises(StaysError, match=error.__name__):
        client(broken).reservation("EV23J")


def test_an_address_that_is_none_is_a_stays_error() -> None:
    with pytest.raises(StaysError, match="could not be reached"):
        StaysClient("acme.stays.example", "login", "word").reservation("EV23J")


def test_an_object_that_is_not_found_is_none() -> None:
    assert answering(404, b"<html>not here</html>").reservation("EV23J") is None
    assert answering(404, b"").client("x") is None


def test_an_id_never_leaves_its_place_in_the_path() -> None:
    asked: list[bytes] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(404)

    client(note).reservation("../clients/1?x=y#z")
    assert asked == [b"/external/v1/booking/reservations/..%2Fclients%2F1%3Fx%3Dy%23z"]


def test_the_search_asks_for_all_six_types_and_logs_in() -> None:
    seen: list[httpx.Request] = []

    def empty(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[])

    assert list(client(empty).search(START, END)) == []
    query = seen[0].url.params
    assert query.get_list("type") == list(ALL_TYPES)
    assert (query["from"], query["to"], query["dateType"], query["limit"]) == (
        "2026-03-01",
        "2026-03-31",
        "included",
        "20",
    )
    assert seen[0].headers["authorization"].startswith("Basic ")


def test_pages_are_read_to_their_end_and_overlaps_are_told_once() -> None:
    rows = [{"_id": f"r{number}"} for number in range(45)]

    def page(request: httpx.Request) -> httpx.Response:
        skip = int(request.url.params["skip"])
        return httpx.Response(200, content=json.dumps(rows[max(0, skip - 1) : skip + 20]))

    assert [row["_id"] for row in client(page).search(START, END)] == [row["_id"] for row in rows]


def test_a_server_that_ignores_skip_does_not_keep_us_for_ever() -> None:
    same = [{"_id": f"r{number}"} for number in range(20)]
    calls: list[str] = []

    def page(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.params["skip"])
        return httpx.Response(200, json=same)

    assert len(list(client(page).search(START, END))) == 20
    assert calls == ["0", "20"]


def patient(*answers: httpx.Response | Exception) -> tuple[StaysClient, list[float]]:
    """A client with three pauses, and what it really waited."""
    slept: list[float] = []
    left = list(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        given = left.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    transport = httpx.MockTransport(answer)
    return StaysClient(
        "https://acme.stays.example", "l", "p", waits=(1, 3, 9), transport=transport, sleep=slept.append
    ), slept


def test_a_patient_client_waits_longer_each_time_with_jitter() -> None:
    trouble: list[httpx.Response | Exception] = [
        httpx.Response(503),
        httpx.ReadTimeout("slow"),
        httpx.Response(200, content=b"<html>"),
    ]
    asking, slept = patient(*trouble, httpx.Response(200, json={"_id": "x"}))
    assert asking.reservation("x") == {"_id": "x"}
    assert [round(low <= waited <= low * 1.25) for low, waited in zip((1, 3, 9), slept, strict=True)] == [1, 1, 1]


def test_it_stays_away_for_as_long_as_it_is_asked_to() -> None:
    asking, slept = patient(httpx.Response(429, headers={"Retry-After": "20"}), httpx.Response(404))
    assert asking.reservation("x") is None
    assert 20 <= slept[0] <= 25


@pytest.mark.parametrize("asked", ["3600", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_a_long_pause_is_left_to_the_next_poll(asked: str) -> None:
    asking, slept = patient(httpx.Response(429, headers={"Retry-After": asked}))
    with pytest.raises(StaysError) as error:
        asking.reservation("x")
    assert error.value.retry_after is not None
    assert error.value.retry_after >= 3600
    assert slept == []


@pytest.mark.parametrize("odd", ["", "soon", "-5", "1e9", "²", "Wed, 99 Oct", "Wed, 21 Oct 2001 07:28:00 GMT"])
def test_an_odd_retry_after_is_no_reason_to_stop(odd: str) -> None:
    asking, slept = patient(httpx.Response(429, headers={b"Retry-After": odd.encode()}), httpx.Response(404))
    assert asking.reservation("x") is None
    assert slept[0] < 2


def test_a_refused_login_is_not_tried_again() -> None:
    asking, slept = patient(httpx.Response(401))
    with pytest.raises(StaysRefused):
        asking.reservation("x")
    assert slept == []


def test_the_last_trouble_is_told_when_all_tries_are_used_up() -> None:
    asking, slept = patient(*[httpx.Response(500)] * 4)
    with pytest.raises(StaysError, match="500"):
        asking.reservation("x")
    assert len(slept) == 3
