"""Who sent this: verified, unverifiable or bad."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhooks.deliveries import SECRET, in_base64, signature
from webhooks.verification import HEADERS, Verdict, check_signature, is_one_of

BODY = '{"action":"reservation.created","name":"João"}'.encode()
RSA = base64.b64encode(bytes(range(256)) * 2).decode()  # 684 characters, as Stays sends them


def verdict(given: str, *secrets: str, header: str = "x-stays-signature", body: bytes = BODY) -> Verdict:
    return check_signature({header: given}, body, secrets)


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    "given",
    [
        signature(BODY),
        signature(BODY).removeprefix("sha256="),
        signature(BODY).removeprefix("sha256=").upper(),
        in_base64(BODY),
        f"sha256={in_base64(BODY)}",
        f"  {signature(BODY)}  ",
    ],
)
def test_a_good_signature_is_verified_in_each_spelling(given: str, header: str) -> None:
    assert verdict(given, SECRET, header=header) == Verdict.VERIFIED


@pytest.mark.parametrize("given", [signature(BODY, "other"), in_base64(BODY, "other"), "0" * 64, "A" * 43 + "="])
def test_a_signature_by_another_secret_is_bad(given: str) -> None:
    assert verdict(given, SECRET) == Verdict.BAD


def test_a_signature_over_other_bytes_is_bad() -> None:
    assert verdict(signature(BODY + b" "), SECRET) == Verdict.BAD


def test_while_secrets_are_rotated_either_may_have_signed() -> None:
    for signer in ("the-old-secret-of-ours", "the-new-secret-of-ours"):
        assert verdict(signature(BODY, signer), "the-new-secret-of-ours", "the-old-secret-of-ours") == Verdict.VERIFIED
    assert (
        verdict(signature(BODY, "an-older-secret"), "the-new-secret-of-ours", "the-old-secret-of-ours") == Verdict.BAD
    )


@pytest.mark.parametrize("given", [RSA, RSA[:96], "AbCd", "é" * 32, base64.b64encode(b"x" * 64).decode()])
def test_what_is_no_hmac_sha256_is_unverifiable_and_not_bad(given: str) -> None:
    assert verdict(given, SECRET) == Verdict.UNVERIFIABLE


@pytest.mark.parametrize("given", ["sha256=", "sha256=zz", "sha256=abc", f"sha256={RSA}"])
def test_what_claims_to_be_sha256_and_is_not_is_bad(given: str) -> None:
    assert verdict(given, SECRET) == Verdict.BAD


def test_no_signature_is_unverifiable() -> None:
    assert check_signature({}, BODY, [SECRET]) == Verdict.UNVERIFIABLE
    assert verdict("", SECRET) == Verdict.UNVERIFIABLE


def test_without_a_secret_of_ours_nothing_is_verified() -> None:
    assert verdict(signature(BODY)) == Verdict.UNVERIFIABLE
    assert verdict("sha256=nonsense") == Verdict.BAD


def test_digests_and_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return real(left, right)

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert verdict(signature(BODY), SECRET, "a-second-secret") == Verdict.VERIFIED
    assert is_one_of("first-token", ["first-token", "second-token"])
    digest = hmac.new(SECRET.encode(), BODY, hashlib.sha256).digest()
    assert [left for left, _ in compared[:2]] == [digest, digest]
    assert compared[2:] == [(b"first-token", b"first-token"), (b"first-token", b"second-token")]


@pytest.mark.parametrize(("given", "allowed"), [("", []), ("x", []), ("x", ["y"]), ("tokén", ["token"]), ("x", ["xx"])])
def test_what_is_not_allowed_is_not_one_of_them(given: str, allowed: list[str]) -> None:
    assert not is_one_of(given, allowed)


@given(st.text(st.characters(max_codepoint=255)), st.binary(max_size=50))
def test_whatever_the_header_says_there_is_an_answer_and_never_verified(given: str, body: bytes) -> None:
    assert verdict(given, SECRET, body=body) in (Verdict.BAD, Verdict.UNVERIFIABLE)
