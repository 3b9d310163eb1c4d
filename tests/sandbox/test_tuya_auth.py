"""Signature, clock, tokens and tickets: who is let into the pretend cloud."""

from __future__ import annotations

import pytest

from sandbox.tuya_crypto import decrypt_pin, encrypt_pin, wrap_ticket_key
from sandbox.tuya_signature import named_headers, sign, signed_url, string_to_sign
from tests.sandbox.conftest import Bench
from tests.sandbox.tuya_caller import CLIENT_ID, SECRET, TuyaCaller
from tests.sandbox_process import WIFI, ZIGBEE

T = "1588925778000"
NONCE = "5138cc3a9033d69856923fd07b491173"
TOKEN = "3f4eda2bdec17232f67c0b188af3eec1"
AREA = {"area_id": "29a33e8796834b1efa6", "call_id": "8afdb70ab2ed11eb85290242ac130003"}
LOCK = "/v1.0/devices/vdevo153459260090544/door-lock"


@pytest.mark.parametrize(
    ("method", "url", "body", "extra", "signed", "expected"),
    [
        (
            "GET",
            "/v1.0/token?grant_type=1",
            b"",
            {"nonce": NONCE},
            "area_id:call_id",
            "9E48A3E93B302EEECC803C7241985D0A34EB944F40FB573C7B5C2A82158AF13E",
        ),
        (
            "GET",
            "/v1.0/token?grant_type=1",
            b"",
            {},
            "",
            "7BA26C076E5ECB1E959BE274A0FFB397B2B1865FC7BCED8F1C78AC5653C20CAA",
        ),
        (
            "POST",
            f"{LOCK}/password-ticket",
            b"{}",
            {"nonce": NONCE, "access_token": TOKEN},
            "",
            "7AAD840D246AFF11AEF64A4FDB6C8113797A2E521A0ECA62C045EA20FEAB3BC3",
        ),
        (
            "DELETE",
            f"{LOCK}/temp-passwords/1001",
            b"",
            {"nonce": NONCE, "access_token": TOKEN},
            "",
            "39B17B818D6B215C8DB546F1468F3BB2854B39E2B8591828F9BB4F65262020AC",
        ),
    ],
    ids=["V1 official", "V3", "V6", "V9"],
)
def test_the_published_vectors_come_out(
    method: str, url: str, body: bytes, extra: dict[str, str], signed: str, expected: str
) -> None:
    path, _, query = url.partition("?")
    headers = named_headers(signed, lambda name: AREA[name])
    text = string_to_sign(method, signed_url(path, query), body, headers)

    assert sign(client_id=CLIENT_ID, secret=SECRET, t=T, text=text, **extra) == expected


def test_the_crypto_vectors_come_out() -> None:
    key = b"0123456789abcdef"

    assert wrap_ticket_key(key, SECRET) == "E8EACE19C6075C139FE8452771A6CF7F9173247C8D56147E406EBA159F6E577A"
    assert encrypt_pin("1234567", key) == "8F8AD3F0CFD6ECA192126E4AD28A73F2"
    assert decrypt_pin("8f8ad3f0cfd6eca192126e4ad28a73f2", key) == "1234567"


def test_query_is_signed_sorted_and_decoded() -> None:
    assert signed_url("/x", "b=2&a=k%3Dv%20w") == "/x?a=k=v w&b=2"
    assert signed_url("/x", "") == "/x"


def test_a_success_has_exactly_the_envelope_of_tuya(bench: Bench) -> None:
    answer = bench.tuya.call("GET", "/v1.0/token?grant_type=1", token="")

    assert set(answer) == {"result", "success", "t", "tid"}
    assert set(answer["result"]) == {"access_token", "refresh_token", "expire_time", "uid"}
    assert answer["t"] == int(bench.clock.now * 1000)


def test_a_refusal_has_exactly_the_envelope_of_tuya(bench: Bench) -> None:
    answer = bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", token="nobody")

    assert set(answer) == {"code", "msg", "success", "t", "tid"}
    assert answer["success"] is False


@pytest.mark.parametrize("name", ["client_id", "sign", "t", "sign_method", "access_token"])
def test_missing_header_is_1105(bench: Bench, name: str) -> None:
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", headers={name: None})["code"] == 1105


def test_unknown_client_is_1005(bench: Bench) -> None:
    stranger = TuyaCaller(bench.http, bench.clock, client_id="somebody")

    assert stranger.call("GET", "/v1.0/token?grant_type=1")["code"] == 1005


def test_wrong_secret_and_a_lower_case_sign_are_1004(bench: Bench) -> None:
    bench.tuya.secret = "x" * 32
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["code"] == 1004
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", headers={"sign": "ab"})["code"] == 1004


def test_a_nonce_must_be_in_the_signature(bench: Bench) -> None:
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", nonce="n1")["success"]
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", headers={"nonce": "n2"})["code"] == 1004


@pytest.mark.parametrize(("off_by", "let_in"), [(-299, True), (299, True), (-301, False), (301, False)])
def test_the_clock_may_be_five_minutes_off(bench: Bench, off_by: int, let_in: bool) -> None:
    answer = bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", t=int((bench.clock.now + off_by) * 1000))

    assert answer["success"] is let_in
    assert answer.get("code") == (None if let_in else 1013)


def test_a_time_that_is_no_number_is_1013(bench: Bench) -> None:
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", t="soon")["code"] == 1013


def test_tokens_live_two_hours(bench: Bench) -> None:
    bench.clock.tick(7199)
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["success"]
    bench.clock.tick(1)
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}")["code"] == 1010


def test_a_refresh_token_works_once_and_ends_the_old_token(bench: Bench) -> None:
    old = bench.tuya.call("GET", "/v1.0/token?grant_type=1", token="")["result"]
    fresh = bench.tuya.call("GET", f"/v1.0/token/{old['refresh_token']}", token="")["result"]

    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", token=fresh["access_token"])["success"]
    assert bench.tuya.call("GET", f"/v1.0/devices/{WIFI}", token=old["access_token"])["code"] == 1010
    assert bench.tuya.call("GET", f"/v1.0/token/{old['refresh_token']}", token="")["code"] == 1010


def test_wrong_grant_type_is_1003(bench: Bench) -> None:
    assert bench.tuya.call("GET", "/v1.0/token?grant_type=7", token="")["code"] == 1003


@pytest.mark.parametrize("url", ["/v1.0/nowhere", f"{LOCK}/temp-passwords/1001/modify", "/v2.0/cloud/thing/x"])
def test_a_wrong_path_is_1108_after_the_signature(bench: Bench, url: str) -> None:
    assert bench.tuya.call("PUT", url)["code"] == 1108
    assert bench.tuya.call("PUT", url, headers={"sign": "x"})["code"] == 1004


def test_an_unknown_device_is_2010(bench: Bench) -> None:
    assert bench.tuya.call("GET", "/v1.0/devices/nobody")["code"] == 2010


def test_both_ticket_paths_answer(bench: Bench) -> None:
    bodies: list[dict[str, str] | None] = [None, {}]
    for url in (f"/v1.0/devices/{WIFI}/door-lock/password-ticket", f"/v1.0/smart-lock/devices/{WIFI}/password-ticket"):
        for body in bodies:
            result = bench.tuya.call("POST", url, body)["result"]
            assert len(result["ticket_key"]) == 64
            assert result["expire_time"] == 360


@pytest.mark.parametrize("spoil", ["expired", "unknown", "of another door", "bad cipher", "wrong padding"])
def test_every_trouble_with_a_ticket_is_a_bare_1109(bench: Bench, spoil: str) -> None:
    now = bench.clock.now
    body = bench.tuya.wish(ZIGBEE if spoil == "of another door" else WIFI, "1928374", now, now + 3600, "stay")
    if spoil == "expired":
        bench.clock.tick(360)
    body |= {
        "unknown": {"ticket_id": "nope"},
        "bad cipher": {"password": "zz"},
        "wrong padding": {"password": "00" * 16},
    }.get(spoil, {})

    answer = bench.tuya.call("POST", f"/v1.0/devices/{WIFI}/door-lock/temp-password", body)

    assert answer["code"] == 1109
