"""Tuya's own vector (V1) and those computed by the algorithm it verified."""

from __future__ import annotations

import pytest

from locks.tuya.signing import sign, url_to_sign
from tests.locks.tuya.fake_cloud import CLIENT_ID, LOCK, SECRET, TOKEN

T = "1588925778000"
NONCE = "5138cc3a9033d69856923fd07b491173"
SIGNED_HEADERS = {"area_id": "29a33e8796834b1efa6", "call_id": "8afdb70ab2ed11eb85290242ac130003"}
TOKEN_URL = url_to_sign("/v1.0/token", {"grant_type": "1"})


def test_token_call_with_nonce_and_signed_headers() -> None:
    signature = sign(
        secret=SECRET, client_id=CLIENT_ID, t=T, method="GET", url=TOKEN_URL, nonce=NONCE, signed_headers=SIGNED_HEADERS
    )
    assert signature == "9E48A3E93B302EEECC803C7241985D0A34EB944F40FB573C7B5C2A82158AF13E"


def test_token_call_without_nonce() -> None:
    signature = sign(secret=SECRET, client_id=CLIENT_ID, t=T, method="GET", url=TOKEN_URL)
    assert signature == "7BA26C076E5ECB1E959BE274A0FFB397B2B1865FC7BCED8F1C78AC5653C20CAA"


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "/password-ticket", b"{}", "7AAD840D246AFF11AEF64A4FDB6C8113797A2E521A0ECA62C045EA20FEAB3BC3"),
        ("DELETE", "/temp-passwords/1001", b"", "39B17B818D6B215C8DB546F1468F3BB2854B39E2B8591828F9BB4F65262020AC"),
    ],
)
def test_business_calls(method: str, path: str, body: bytes, expected: str) -> None:
    signature = sign(
        secret=SECRET,
        client_id=CLIENT_ID,
        access_token=TOKEN,
        t=T,
        nonce=NONCE,
        method=method,
        url=LOCK + path,
        body=body,
    )
    assert signature == expected


def test_query_is_sorted_and_not_encoded() -> None:
    assert url_to_sign("/p", {"b": "x,y z", "a": "1"}) == "/p?a=1&b=x,y z"
