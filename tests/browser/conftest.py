"""One house with the demo in it, one Chromium, and pages that forgive no error and reach nobody outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from deploy.chromium import ARGUMENTS, MISSING, chromium
from tests.browser.visitor import PASSWORD, Visits
from tests.journeys.house import House, house

FURNISH = f"""
from django.contrib.auth.models import Group, User
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
call_command("seed_demo")
User.objects.create_superuser("boss", password="{PASSWORD}")
olga = User.objects.create_user("olga", password="{PASSWORD}", is_staff=True)
olga.groups.set(Group.objects.filter(name__in=["operator", "engineer"]))
"""


@pytest.fixture(scope="package")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The house of these tests: SQLite, the demo's units and doors, and two people who may sign in."""
    if chromium() is None:
        pytest.skip(MISSING)
    place = tmp_path_factory.mktemp("browser")
    with house(place, "sqlite", furnish=FURNISH, STATIC_ROOT=str(place / "static")) as running:
        yield running


@pytest.fixture(scope="module")
def browser(street: House) -> Iterator[Browser]:
    """Not for the session: Playwright's event loop would be in the way of other modules' database."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def all_visits(street: House, browser: Browser) -> Visits:
    return Visits(street.web, browser)


@pytest.fixture
def visits(all_visits: Visits) -> Iterator[Visits]:
    """People with pages. Whatever a test is about: no error on a console, and no request to the outside."""
    yield all_visits
    assert all_visits.take_troubles() == []
