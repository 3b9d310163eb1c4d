"""Every curl example of docs/api.md, as it stands there, against a running server; and its page in the browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from ninja import Schema
from pytest_django.live_server_helper import LiveServer

from locks.models import Lock
from scheduler import clock
from scheduler.models import Job
from smartlock.api import scopes, tokens
from smartlock.api.root import api
from tests.admin.house import make_house
from tests.builders import make_accommodation, make_lock
from webhooks.models import WebhookEvent

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def examples() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", DOCS.read_text(), re.DOTALL)
    return [one for block in blocks for one in re.findall(r"^curl .*(?:\n  .*)*", block, re.MULTILINE)]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.django_db(transaction=True)
def test_every_example_works(live_server: LiveServer, stay_in_house: dict[str, str]) -> None:
    token = tokens.create("docs", ["all"], now=clock.now(), actor="tests")[1]
    known = {**os.environ, **stay_in_house, "API": f"{live_server.url}/api", "TOKEN": token}
    assert len(examples()) > 30
    for example in examples():
        show = example.replace("curl -s", "curl -s --globoff --max-time 60 -w '\\n%{http_code}'", 1)
        done = subprocess.run(["sh", "-c", show], env=known, capture_output=True, text=True, timeout=90, check=True)
        body, _line, status = done.stdout.rpartition("\n")
        assert status in ("200", "201"), f"{example}\n{done.stdout}"
        answer = json.loads(body)
        if status == "201" and "check_in_at" in answer:
            known["MANUAL"] = str(answer["id"])


@pytest.fixture
def stay_in_house(transactional_db: None) -> dict[str, str]:
    now = clock.now()
    stay = make_house(1, now)[0]
    unit = make_accommodation()
    make_lock(unit)
    return {
        "STAY": stay.short_id, "UNIT": str(unit.pk), "LOCK": str(Lock.objects.all()[0].pk),
        "JOB": str(Job.objects.filter(state="scheduled").latest("due_at").pk),
        "EVENT": str(WebhookEvent.objects.get().pk),
    }  # fmt: skip


def test_the_docs_name_every_scope_and_every_list() -> None:
    text = DOCS.read_text()
    assert [scope for scope in scopes.ALL if f"`{scope}`" not in text] == []
    lists = {path for path, calls in api.get_openapi_schema()["paths"].items() if "get" in calls and "{" not in path}
    assert [path for path in lists if path.removeprefix("/api/") not in text] == []


@pytest.mark.django_db
def test_the_page_of_the_api_asks_nobody_outside(boss: Client) -> None:
    page = boss.get("/api/docs").content.decode()
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert all(address.startswith("/static/") for address in addresses)
    assert all(finders.find(address.removeprefix("/static/")) for address in addresses)
    assert "http://" not in page.replace("http://testserver", "")
    assert '"validatorUrl": null' in page
    assert "/api/openapi.json" in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api", "/api/"])
def test_the_bare_address_leads_to_the_page(boss: Client, path: str) -> None:
    assert boss.get(path)["Location"] == reverse("api:openapi-view")


@pytest.mark.django_db
def test_strangers_sign_in_to_see_the_page_and_may_read_the_document(client: Client) -> None:
    assert reverse("admin:login") in client.get("/api/docs")["Location"]
    assert client.get("/api/openapi.json").json()["info"]["title"] == "SmartLock"


def test_the_document_has_no_two_things_of_one_name() -> None:
    """Ninja would let the second silently take the place of the first."""
    document = api.get_openapi_schema()
    names = [call["operationId"] for calls in document["paths"].values() for call in calls.values()]
    assert len(names) == len(set(names))
    shapes: dict[str, str] = {}
    for shape in _shapes():
        assert shapes.setdefault(shape.__name__, shape.__module__) == shape.__module__, shape


def _shapes() -> list[type]:
    found: list[type] = []
    todo: list[type] = [Schema]
    while todo:
        children: list[type] = todo.pop().__subclasses__()
        todo += children
        found += [child for child in children if child.__module__.startswith("smartlock.api")]
    return found
