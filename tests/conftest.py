"""What every test gets: an in-process Redis for the guard and the token, and nobody outside."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator

import fakeredis
import pytest
from django.utils import translation
from xdist.scheduler import LoadScopeScheduling

from scheduler import pool, publisher, queues, redis
from tests.databases import django_db_modify_db_settings
from tests.emptying import quick_emptying
from webhooks import inbox

__all__ = ["django_db_modify_db_settings", "quick_emptying"]  # fixtures: the database of each process


class ByHouse(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that share a house stay in one process: the journeys on one database, the outages, those in a browser.

    These come first, the most tests before the fewest; the other tests go where there is room.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/browser/"):
            return "browser"
        if nodeid.startswith("tests/journeys/test_outages.py"):
            return "outages"
        return next((database for database in ("postgres", "sqlite") if f"[{database}" in nodeid), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByHouse:
    return ByHouse(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first: at the end the other processes would wait for it."""
    items.sort(key=lambda item: "long" not in item.keywords)


def pytest_collection_finish() -> None:
    """The tests, Django and our models stay until the end: to look through them for garbage again and again took a
    twelfth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def the_same_dice(request: pytest.FixtureRequest) -> None:
    """A back-off rolls dice: each test gets the same ones every time, so that one which passes today does tomorrow."""
    random.seed(request.node.nodeid)


@pytest.fixture(autouse=True)
def fake_redis(monkeypatch: pytest.MonkeyPatch) -> Iterator[fakeredis.FakeRedis]:
    """Each test has a Redis of its own, in process; real ones are used by the tests in tests/journeys."""
    fake = fakeredis.FakeRedis()
    monkeypatch.setattr(redis, "client", lambda: fake)
    yield fake
    fake.close()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page fetched in another language leaves it active in the thread, for whichever test comes next."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def one_after_the_other(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs of one message run in the test's own thread: another would not see the test's transaction."""
    if "side_by_side" not in request.keywords:
        monkeypatch.setattr(pool, "side_by_side", lambda _queue, calls: (call() for call in calls))


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """What this process remembers of the queues and of the inbox is another test's."""
    queues.forget()
    inbox.forget()


@pytest.fixture(autouse=True)
def announced(monkeypatch: pytest.MonkeyPatch) -> list[publisher.Message]:
    """What would have been handed to Celery, in order."""
    messages: list[publisher.Message] = []
    monkeypatch.setattr(publisher, "announce", messages.extend)
    monkeypatch.setattr(publisher, "publish", messages.append)
    return messages
