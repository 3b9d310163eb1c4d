"""A house that speaks Portuguese speaks it on every page: English left on one is found by walking all of them.

Data is data: what stands in the database (names, addresses, errors as the machine wrote them down) is taken out of a
page before it is read, and so is code. What the database holds in words for people has tests of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import CharField, DateField, Model, TextField
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.views.defaults import server_error
from pytest_django.fixtures import Settings

from scheduler import clock
from tests.admin.house import make_house

pytestmark = pytest.mark.once  # words are no matter of the database
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
WORDS = """
    the and of is are was were with without from this that these which who has have had not by been will can cannot you
    your it its add change delete view user users entry entries trail refusal refusals lock locks job jobs stay door
    doors group groups permission permissions attempt attempts yes search select filter filters all none more less event
    events when time date time zone by hand off for what where how why every only never again still first last next
    previous page pages size name kind state queue source action reason body subject priority due run runs
    """
ENGLISH = re.compile(rf"\b({'|'.join(set(WORDS.split()))})\b", re.IGNORECASE)
CODE = re.compile(r"\S*[.:_/@]\S*\w|\b\w+-\w+-\w+(-\w+)*\b|\bSL \w+|\bread-\w+|\bprune-\w+|\bsync-\w+|\bon-line\b")
UNSEEN = {"script", "style", "template", "pre", "code", "svg"}
VOID = {"input", "br", "img", "link", "meta", "hr", "wbr", "source", "col"}
SPOKEN = ("title", "placeholder", "aria-label", "alt")
FOREIGN = ("en", "es")


class Reader(HTMLParser):
    """What a person reads or hears on a page, piece by piece; code, icons and what is marked as foreign left out."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.hidden: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        hides = tag in UNSEEN or facts.get("lang") in FOREIGN or "material-symbols" in facts.get("class", "")
        if tag not in VOID:
            self.hidden.append(hides or self.is_hidden)
        if not hides and not self.is_hidden:
            self.pieces += [facts[name] for name in SPOKEN if name in facts]
            self.pieces += [facts.get("value", "")] if facts.get("type") in ("submit", "button") else []

    @property
    def is_hidden(self) -> bool:
        return bool(self.hidden) and self.hidden[-1]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self.hidden:
            self.hidden.pop()

    def handle_data(self, data: str) -> None:
        if not self.is_hidden:
            self.pieces.append(data)


def english(page: str, data: re.Pattern[str]) -> set[str]:
    reader = Reader()
    reader.feed(page)
    said = {" ".join(piece.split()) for piece in reader.pieces}
    return {piece for piece in said if ENGLISH.search(CODE.sub("", data.sub("", piece)))}


@pytest.fixture
def boss(settings: Settings, db: None) -> Client:
    settings.LANGUAGE_CODE = "pt-br"
    with translation.override("pt-br"):
        call_command("seed_demo", verbosity=0)
        make_house(1, clock.now())
    client = Client(headers={"accept-language": "pt-br"})
    client.force_login(User.objects.create_superuser("boss", password="a-long-password"))
    return client


def data_of_the_house() -> re.Pattern[str]:
    """Every text that stands in a row, the longest first; ``Stays`` is a product's name."""
    texts = {"Stays"}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, CharField | TextField) and not field.choices:
                texts |= {
                    " ".join(str(text).split()) for text in model._default_manager.values_list(field.name, flat=True)
                }
    known = sorted((re.escape(text) for text in texts if len(text) > 3), key=len, reverse=True)
    return re.compile("|".join(known), re.IGNORECASE)


def pages_of(model: type[Model]) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    yield reverse(f"{name}_changelist")
    yield reverse(f"{name}_add")
    rows = list(model._default_manager.order_by("-pk").values_list("pk", flat=True)[:3])
    yield from (reverse(f"{name}_change", args=[pk]) for pk in rows)
    yield from (reverse(f"{name}_delete", args=[pk]) for pk in rows[:1])


def test_no_page_of_the_house_has_english_on_it(boss: Client) -> None:
    data, found = data_of_the_house(), dict[str, set[str]]()
    own = ["admin:index", "timeline", "profile", "second-factor-setup", "admin:password_change", "flower"]
    for page in [*map(reverse, own), *(page for model in MODELS for page in pages_of(model))]:
        answer = boss.get(page)
        if answer.status_code != 403 and (words := english(answer.content.decode(), data)):
            found[page] = words
    assert found == {}


def test_every_field_that_a_list_can_be_sorted_by_has_a_portuguese_name(boss: Client) -> None:
    """Those without a name of ours are called by their column in the database, which is English."""
    plain = {
        str(field.verbose_name)
        for model in MODELS
        for field in model._meta.concrete_fields
        if not isinstance(field.verbose_name, Promise) and not isinstance(field, DateField)
    } - {"ID", "worker", "status"}
    found: dict[str, set[str]] = {}
    for model in MODELS:
        page = boss.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")).content.decode()
        reader = Reader()
        reader.feed(page)
        said = {" ".join(piece.split()).removeprefix("Por ").lower() for piece in reader.pieces}
        found |= {model._meta.label: said & plain} if said & plain else {}
    assert found == {}


def test_who_is_sent_away_is_told_so_in_portuguese(boss: Client, client: Client, rf: RequestFactory) -> None:
    staff = Client(headers={"accept-language": "pt-br"})
    staff.force_login(User.objects.create_user("nina", password="a-long-password", is_staff=True))
    with translation.override("pt-br"):
        broken = server_error(rf.get("/"))
    answers: dict[int, Any] = {
        404: boss.get("/nowhere/"), 403: staff.get(reverse("timeline")), 500: broken,
        200: client.get(reverse("admin:login"), headers={"accept-language": "pt-br"}),
    }  # fmt: skip
    for status, answer in answers.items():
        page = answer.content.decode()
        assert (answer.status_code, 'lang="pt-br"' in page) == (status, True)
        assert english(page, re.compile("Stays")) == set()
    assert "Esta página não existe" in answers[404].content.decode()
