"""The door in front of Django: the same answers, and everything else goes to Django untouched."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from structlog.testing import capture_logs

from tests.webhooks.deliveries import SIGNED_URL, TOKEN, URL, body, refusals, signature, stay
from tests.webhooks.test_fuzz import BODIES, HEADERS, assert_whole_or_nothing, counts
from webhooks import receipt, wsgi
from webhooks.models import Refusal, WebhookEvent

pytestmark = pytest.mark.django_db
GOOD = body("reservation.created", stay())


class Answer:
    def __init__(self, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
        self.status_code, self.headers, self.content = int(status[:3]), dict(headers), content

    def json(self) -> Any:
        return json.loads(self.content)


def call(path: str, content: bytes = GOOD, *, method: str = "POST", **environ: Any) -> Answer | None:
    """What the door answers; None when it left the request to Django."""
    said: list[Any] = []

    def django(_environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        return []

    given = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(content)), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content), "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/json",
    } | environ  # fmt: skip
    parts = wsgi.before(django)({k: v for k, v in given.items() if v is not None}, lambda *args: said.extend(args))
    return Answer(said[0], said[1], b"".join(parts)) if said else None


def answered(*args: Any, **environ: Any) -> Answer:
    answer = call(*args, **environ)
    assert answer is not None
    return answer


@pytest.mark.parametrize("path", [URL, URL.rstrip("/"), SIGNED_URL, SIGNED_URL.rstrip("/")])
def test_a_delivery_is_answered_as_django_would_and_without_it(path: str) -> None:
    answer = answered(path, HTTP_X_STAYS_SIGNATURE=signature(GOOD))
    event = WebhookEvent.objects.get()
    assert (answer.status_code, answer.json()) == (200, {"status": "stored", "event": event.pk})
    assert (answer.headers["Content-Type"], answer.headers["Content-Length"]) == (
        "application/json", str(len(answer.content))
    )  # fmt: skip
    assert (bytes(event.body), event.remote_address, event.verification) == (GOOD, "127.0.0.1", "verified")
    through_django = Client().post(path, GOOD, "application/json", headers={"x-stays-signature": signature(GOOD)})
    assert through_django.json() == {"status": "duplicate", "event": event.pk}


@pytest.mark.parametrize(
    ("path", "content", "environ", "status", "reason"),
    [
        ("/webhooks/stays/another-webhook-token/", GOOD, {}, 404, "unknown_token"),
        ("/webhooks/stays/\xc3\xa9/", GOOD, {}, 404, "unknown_token"),
        ("/webhooks/stays/\xff/", GOOD, {}, 404, "unknown_token"),
        (URL, b"x" * (256 * 1024 + 1), {}, 413, "too_large"), (URL, GOOD, {"CONTENT_LENGTH": "-1"}, 413, "too_large"),
        (URL, GOOD, {"CONTENT_LENGTH": "1e3"}, 413, "too_large"),
        (URL, b"x" * 300_000, {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, 413, "too_large"),
        (URL, GOOD, {"CONTENT_LENGTH": str(len(GOOD) + 1)}, 400, "cut_off"), (URL, b"[]", {}, 400, "malformed"),
        (URL, b"", {"CONTENT_LENGTH": None}, 400, "malformed"), (SIGNED_URL, GOOD, {}, 401, "bad_signature"),
        (URL, GOOD, {"HTTP_X_STAYS_CLIENT_ID": "somebody-else"}, 401, "wrong_client"),
    ],
)  # fmt: skip
def test_what_is_refused(path: str, content: bytes, environ: dict[str, Any], status: int, reason: str) -> None:
    answer = answered(path, content, **environ)
    assert (answer.status_code, answer.json()["error"], refusals()) == (status, reason, {reason: 1})
    assert not WebhookEvent.objects.exists()


def test_a_body_in_chunks_is_taken() -> None:
    assert answered(URL, CONTENT_LENGTH=None, HTTP_TRANSFER_ENCODING="chunked").status_code == 200
    assert bytes(WebhookEvent.objects.get().body) == GOOD


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", URL), ("PUT", URL), ("POST", "/admin/"), ("POST", "/webhooks/"), ("POST", "/webhooks/nobody/x/"),
     ("POST", f"/webhooks/stays/{TOKEN}/more"), ("POST", "/webhooksstays/")],
)  # fmt: skip
def test_everything_else_goes_to_django(method: str, path: str) -> None:
    assert call(path, method=method) is None
    assert not Refusal.objects.exists()


def test_where_https_is_demanded_plain_http_goes_to_django(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_PROXY_SSL_HEADER = True, ("HTTP_X_FORWARDED_PROTO", "https")
    assert call(URL) is None
    assert call(URL, HTTP_X_FORWARDED_PROTO="http") is None
    assert answered(URL, HTTP_X_FORWARDED_PROTO="https").status_code == 200


@pytest.mark.parametrize(("error", "is_news"), [(RuntimeError, True), (OperationalError, False)])
def test_what_could_not_be_stored_is_not_answered_with_200(
    error: type[Exception], is_news: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_deliveries: object) -> list[receipt.Stored]:
        raise error("no database")

    monkeypatch.setattr(receipt, "_commit", away)
    with capture_logs() as logs:
        answer = answered(URL)
    assert logs[-1]["exc_info"] is is_news  # a database that is away needs no stack of each delivery
    assert (answer.status_code, answer.json()["error"]) == (503, "not_stored")
    assert "no database" not in answer.content.decode()


bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@bounded
@given(content=BODIES, headers=HEADERS, length=st.none() | st.integers(-1, 400) | st.text(max_size=6))
def test_any_body_headers_and_length(content: bytes, headers: dict[str, str], length: int | str | None) -> None:
    before = counts()
    given = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    answer = answered(URL, content, **given, **({} if length is None else {"CONTENT_LENGTH": str(length)}))
    is_number = str(length or 0).strip().isdigit()
    sent = content if length is None else content[: int(length or 0)] if is_number else content
    assert_whole_or_nothing(answer, before, sent)
