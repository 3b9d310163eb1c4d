"""Every main page, in both languages, wide and narrow, light and dark: readable for everybody, nobody asked outside.

Axe judges each page whole once a visit and its contrasts once more in the other theme. That there is no error on the
console and no request to the outside is checked by ``visits`` at the end of every test.
"""

from __future__ import annotations

import pytest

from tests.browser.visitor import DESK, PHONE, Theme, Visits
from tests.journeys.house import House

MAIN = [
    "", "timeline/", "reservations/reservation/", "scheduler/job/", "scheduler/queue/", "webhooks/webhookevent/",
    "locks/lock/", "profile/", "scheduler/recurringjob/", "scheduler/recurringjob/add/",
]  # fmt: skip
# Opened in the harder way only: narrow, dark, in the language with the longer words.
MORE = [
    "scheduler/job/?state__exact=failed", "scheduler/heartbeat/", "scheduler/recurringrun/",
    "reservations/accommodation/", "reservations/listing/", "reservations/syncrun/", "webhooks/refusal/",
    "locks/credential/", "notifications/notice/", "notifications/message/", "audit/auditlog/", "auth/user/",
    "auth/group/", "api/apitoken/", "axes/accessattempt/", "second-factor/set-up/",
]  # fmt: skip
# The first row of these lists is opened.
ROWS = ["reservations/reservation/", "scheduler/job/", "webhooks/webhookevent/", "locks/lock/", "locks/credential/",
        "reservations/accommodation/", "scheduler/recurringjob/", "auth/user/", "auth/group/"]  # fmt: skip
READERS: list[tuple[str, int, Theme]] = [("en", DESK, "light"), ("pt-br", PHONE, "dark")]


@pytest.mark.parametrize(("language", "width", "theme"), READERS, ids=["desk", "phone"])
@pytest.mark.parametrize("path", MAIN)
def test_a_page_is_for_everybody(visits: Visits, path: str, language: str, width: int, theme: Theme) -> None:
    visitor = visits.person("boss", language, width, theme)
    visitor.go(f"/admin/{path}")
    assert visitor.faults_by_day_and_night() == []
    assert visitor.wider_than_the_screen() <= 0


@pytest.mark.parametrize("path", MORE)
def test_the_other_pages_are_too(visits: Visits, path: str) -> None:
    visitor = visits.person("boss", "pt-br", PHONE, "dark")
    visitor.go(f"/admin/{path}")
    assert visitor.faults_by_day_and_night() == []
    assert visitor.wider_than_the_screen() <= 0


LONG_KEY = """
from datetime import timedelta
from scheduler import clock, services
now = clock.now()
print(services.schedule("locks.generate_pin", due_at=now + timedelta(days=9), now=now, live_key="a.key:" * 16).pk)
"""


def test_the_long_key_of_a_waiting_job_fits_a_phone(street: House, visits: Visits) -> None:
    job = street.manage("shell", "-v", "0", "-c", LONG_KEY).strip()
    visitor = visits.person("boss", "en", 390)
    visitor.go(f"/admin/scheduler/job/{job}/change/")
    assert visitor.wider_than_the_screen() <= 0


@pytest.mark.parametrize(("language", "width", "theme"), READERS, ids=["desk", "phone"])
@pytest.mark.parametrize("path", ROWS)
def test_a_rows_page_is_for_everybody(visits: Visits, path: str, language: str, width: int, theme: Theme) -> None:
    visitor = visits.person("boss", language, width, theme)
    visitor.go(f"/admin/{path}")
    row = visitor.page.locator(f"#result_list a[href*='/admin/{path}']").first.get_attribute("href")
    assert row
    visitor.go(row)
    assert visitor.faults_by_day_and_night() == []
    assert visitor.wider_than_the_screen() <= 0


def test_the_way_in_is_for_everybody(visits: Visits) -> None:
    for language, width, theme in READERS:
        visitor = visits.stranger(language, width, theme)
        visitor.go("/admin/")
        assert visitor.faults_by_day_and_night() == []
        assert visitor.wider_than_the_screen() <= 0
