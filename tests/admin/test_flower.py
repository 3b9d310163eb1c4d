"""Flower is reached through the operators' login or not at all."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest
from django.test import Client

from smartlock import flower

pytestmark = pytest.mark.django_db
ORIGIN = {"origin": "http://testserver"}
GROW = "/admin/flower/api/worker/pool/grow/w1"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[httpx.Request]:
    """A Flower that answers everything, and what it was asked."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        headers = {
            "set-cookie": "_xsrf=1",
            "server": "TornadoServer",
            "connection": "close",
            "content-type": "text/html",
        }
        return httpx.Response(200, stream=httpx.ByteStream(b"<h1>Workers</h1>"), headers=headers)

    _use(monkeypatch, answer)
    return requests


def _use(monkeypatch: pytest.MonkeyPatch, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(flower, "_client", lambda: client)


@pytest.mark.parametrize("path", ["", "workers", "metrics", "healthcheck", "api/workers"])
def test_nobody_gets_in_without_a_login(client: Client, asked: list[httpx.Request], path: str) -> None:
    response = client.get(f"/admin/flower/{path}")
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/admin/login/?next=/admin/flower/")
    assert asked == []


def test_staff_who_may_not_see_jobs_are_refused(newcomer: Client, asked: list[httpx.Request]) -> None:
    assert newcomer.get("/admin/flower/").status_code == 403
    assert asked == []


def test_an_operator_sees_flower(operator: Client, asked: list[httpx.Request]) -> None:
    response = operator.get("/admin/flower/tasks?state=FAILURE")
    assert response.status_code == 200
    assert response.getvalue() == b"<h1>Workers</h1>"
    assert str(asked[0].url) == "http://127.0.0.1:5555/admin/flower/tasks?state=FAILURE"


def test_flower_gets_its_own_password_and_not_our_session(operator: Client, asked: list[httpx.Request]) -> None:
    response = operator.get("/admin/flower/", headers={"authorization": "Basic bad", "x-forwarded-for": "1.2.3.4"})
    login = base64.b64encode(b"flower:flower-password").decode()
    assert asked[0].headers["authorization"] == f"Basic {login}"
    assert "cookie" not in asked[0].headers
    assert "x-forwarded-for" not in asked[0].headers
    assert not {"Set-Cookie", "Server", "Connection"} & set(response.headers)
    assert login not in str(response.headers)


@pytest.mark.parametrize("headers", [{}, {"origin": "https://elsewhere.example"}, {"origin": "null"}])
def test_acting_from_another_site_is_refused(
    operator: Client, asked: list[httpx.Request], headers: dict[str, str]
) -> None:
    assert operator.post(GROW, headers=headers).status_code == 403
    assert asked == []


def test_acting_takes_the_permission_to_change_jobs(operator: Client, asked: list[httpx.Request]) -> None:
    assert operator.post(GROW, {"n": "1"}, headers=ORIGIN).status_code == 200
    assert asked[0].method == "POST"
    from django.contrib.auth.models import User

    user = User.objects.get(username="olga")
    user.user_permissions.remove(user.user_permissions.get(codename="change_job"))
    assert operator.post(GROW, headers=ORIGIN).status_code == 403
    assert len(asked) == 1


def test_no_way_around_the_prefix(operator: Client, asked: list[httpx.Request]) -> None:
    assert operator.get("/admin/flower/%2e%2e/%2e%2e/metrics").status_code == 404
    assert operator.delete("/admin/flower/").status_code == 405
    assert asked == []


def test_a_plain_page_when_flower_is_away(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    _use(monkeypatch, away)
    response = operator.get("/admin/flower/")
    assert response.status_code == 503
    assert "Flower is not running" in response.content.decode()


@pytest.mark.parametrize(("code", "words"), [(401, "FLOWER_AUTH differs"), (404, "--url_prefix=admin/flower")])
def test_a_plain_page_when_flower_is_set_up_otherwise(
    operator: Client, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    _use(monkeypatch, lambda request: httpx.Response(code))
    response = operator.get("/admin/flower/")
    assert response.status_code == 503
    assert words in response.content.decode()
