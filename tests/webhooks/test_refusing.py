"""What is turned away: a 4xx with a sentence, and nothing of it is kept but a count."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from scheduler.models import Job
from tests.webhooks.deliveries import SIGNED_URL, TOKEN, URL, body, knock, refusals, signature, stay
from webhooks.models import Refusal, WebhookEvent

pytestmark = pytest.mark.django_db
GOOD = body("reservation.created", stay())
KIB_256 = 256 * 1024


def assert_refused(answer: Any, status: int, reason: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, reason)
    assert answer.json()["detail"].endswith(".")
    assert refusals() == {reason: 1}
    assert not WebhookEvent.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "token", ["another-webhook-token", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "tokén", "%00", "%ff"]
)
def test_an_unknown_token_is_404(token: str) -> None:
    assert_refused(knock(GOOD, url=f"/webhooks/stays/{token}/", signed=True), 404, "unknown_token")


def test_without_any_token_of_ours_every_token_is_unknown(settings: Settings) -> None:
    settings.STAYS_WEBHOOK_TOKENS = []
    assert_refused(knock(GOOD), 404, "unknown_token")


def test_another_client_id_is_401() -> None:
    assert_refused(knock(GOOD, headers={"x-stays-client-id": "somebody-else"}), 401, "wrong_client")


@pytest.mark.parametrize("given", [signature(GOOD, "another-secret"), "sha256=nonsense", signature(GOOD + b" ")])
@pytest.mark.parametrize("url", [URL, SIGNED_URL])
def test_a_bad_signature_is_401_with_and_without_a_token(url: str, given: str) -> None:
    assert_refused(knock(GOOD, url=url, headers={"x-stays-signature": given}), 401, "bad_signature")


@pytest.mark.parametrize("headers", [{}, {"x-stays-signature": "A" * 684}, {"authorization": "Bearer x"}])
def test_without_a_token_only_a_good_signature_opens(headers: dict[str, str]) -> None:
    assert_refused(knock(GOOD, url=SIGNED_URL, headers=headers), 401, "bad_signature")


@pytest.mark.parametrize("size", [KIB_256 + 1, 1024 * 1024])
def test_a_body_above_256_kib_is_413(size: int) -> None:
    assert_refused(knock(GOOD.ljust(size)), 413, "too_large")


@pytest.mark.parametrize("length", ["x", "1e3", "9" * 30, "9" * 5000])
def test_a_length_that_is_no_length_is_413(length: str) -> None:
    answer = Client().post(URL, data=GOOD, content_type="application/json", CONTENT_LENGTH=length)
    assert_refused(answer, 413, "too_large")


@pytest.mark.parametrize(
    "content",
    [b"", b"not json", b"[]", b'{"_dt": "2026-03-05T12:00:00Z"}', b"\xff\xfe", b"[" * 100_000, b'{"action": "\\u0000"}',
     b'{"action": "\\ud800"}'],
)  # fmt: skip
def test_a_body_that_is_no_envelope_is_400(content: bytes) -> None:
    assert_refused(knock(content), 400, "malformed")


class CutOff(io.BytesIO):
    def read(self, *_: object) -> bytes:
        raise ConnectionResetError


def test_a_connection_that_ends_too_soon_is_400() -> None:
    request = {"wsgi.input": CutOff(), "CONTENT_LENGTH": "100", "CONTENT_TYPE": "application/json"}
    assert_refused(Client().post(URL, **request), 400, "cut_off")  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head", "options"])
def test_only_post_is_answered(method: str) -> None:
    response = getattr(Client(), method)(URL)
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert method == "head" or response.json()["detail"].startswith("Events are sent here with POST, not with ")
    assert not WebhookEvent.objects.exists()


def test_refusals_are_counted_by_day_and_reason() -> None:
    for _ in range(3):
        knock(b"not json")
    knock(GOOD, url="/webhooks/stays/another-webhook-token/")
    assert refusals() == {"malformed": 3, "unknown_token": 1}
    assert {field.name for field in Refusal._meta.get_fields()} == {"id", "day", "reason", "count"}
