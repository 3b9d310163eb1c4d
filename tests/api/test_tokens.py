"""The two ways to a token: the command and the operators' page. Both show it once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from scheduler import clock
from smartlock.api import tokens
from smartlock.api.models import ApiToken
from smartlock.audit.models import AuditLog
from tests.api.conftest import Caller
from tests.commands.run import run

pytestmark = pytest.mark.django_db


def test_the_command_prints_the_token_and_nothing_else() -> None:
    answer = run("create_token", "ci", "--scope", "jobs:write", "--scope", "read", "--days", "30")
    assert answer.code == 0
    assert Caller(answer.out.strip()).get("jobs").status == 200
    token = ApiToken.objects.get()
    assert {"jobs:write", "locks:read"} <= set(token.scopes)
    assert token.expires_at is not None
    assert (token.expires_at - clock.now()).days in (29, 30)
    assert run("create_token", "other", "--scope", "all", "--json").json["token"].startswith("slk_")


@pytest.mark.parametrize(
    "words", [["ci"], ["ci", "--scope", "jobs"], ["taken", "--scope", "read"], ["ci", "--scope", "read", "--days", "0"]]
)
def test_bad_use_is_a_sentence_and_code_two(words: list[str]) -> None:
    tokens.create("taken", ["read"], now=clock.now(), actor="boss")
    answer = run("create_token", *words)
    assert (answer.code, answer.out.count("\n")) == (2, 0)
    assert ApiToken.objects.count() == 1


def test_the_page_shows_it_once(boss: Client) -> None:
    page = boss.post(reverse("admin:api_apitoken_add"), {"name": "ci", "scopes": ["jobs:read", "jobs:write"]})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    text = page.context["token"]
    assert text in page.content.decode()
    assert Caller(text).get("jobs").status == 200
    token = ApiToken.objects.get()
    assert (token.created_by, token.scopes) == ("boss", ["jobs:read", "jobs:write"])
    for address in (reverse("admin:api_apitoken_changelist"), reverse("admin:api_apitoken_change", args=[token.pk])):
        assert text not in boss.get(address).content.decode()


def test_the_page_refuses_what_cannot_be(boss: Client) -> None:
    add = reverse("admin:api_apitoken_add")
    boss.post(add, {"name": "ci", "scopes": ["jobs:read"]})
    wrongs: list[dict[str, Any]] = [{"name": "ci"}, {"name": ""}, {"scopes": []}]
    wrongs.append({"expires_at_0": "2001-01-01", "expires_at_1": "00:00"})
    for wrong in wrongs:
        page = boss.post(add, {"name": "new", "scopes": ["jobs:read"], **wrong})
        assert page.status_code == 200
        assert page.context.get("token") is None
    assert ApiToken.objects.count() == 1


def test_revoking_is_for_those_allowed(boss: Client, operator: Client) -> None:
    token, text = tokens.create("ci", ["read"], now=clock.now(), actor="boss")
    choice = {"action": "revoke", "_selected_action": [token.pk]}
    operator.post(reverse("admin:api_apitoken_changelist"), choice)
    assert Caller(text).get("jobs").status == 200
    boss.post(reverse("admin:api_apitoken_changelist"), choice)
    assert Caller(text).get("jobs").status == 401
    assert AuditLog.objects.get(action="token.revoked").actor == "boss"
