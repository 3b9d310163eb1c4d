"""Work that comes again, made, run and switched on its pages: beat, worker and the run's own process behind them."""

from __future__ import annotations

import re
import secrets

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import DESK, PHONE, Visitor, Visits
from tests.journeys.house import wait_for

RECURRING = "/admin/scheduler/recurringjob/"


@pytest.fixture(params=[("en", DESK), ("pt-br", PHONE)], ids=["desk", "phone"])
def olga(request: pytest.FixtureRequest, visits: Visits) -> Visitor:
    return visits.person("olga", *request.param)


def test_a_recurring_job_is_made_previewed_and_run(olga: Visitor) -> None:
    slug = f"read-again-{secrets.token_hex(4)}"
    make(olga, slug)
    olga.page.get_by_role("link", name=slug).first.click()
    expect(olga.page.get_by_text(olga.say("none yet"))).to_be_visible()  # making it ran nothing
    olga.press_and_confirm("Run now")
    done, result = olga.say("succeeded"), olga.fact("last result")
    wait_for(lambda: olga.page.reload() and done in result.inner_text(), why="the run succeeded")
    olga.page.get_by_role("link", name=olga.say("All its runs")).click()
    runs = olga.page.locator("#result_list tbody tr")
    expect(runs).to_have_count(1)
    expect(runs).to_contain_text(f"{olga.say('by hand')} olga")
    assert olga.wider_than_the_screen() <= 0


def test_a_job_is_switched_off_in_its_row_by_the_keyboard(olga: Visitor) -> None:
    slug = f"switch-me-{secrets.token_hex(4)}"
    make(olga, slug)
    lever = olga.page.get_by_role("switch", name=slug)
    for position in ("false", "true"):
        with olga.page.expect_navigation():
            lever.press("Space")
        expect(olga.page).to_have_url(re.compile(rf"q={slug}"))
        expect(lever).to_have_attribute("aria-checked", position)


def make(visitor: Visitor, slug: str) -> None:
    """At an interval of two hours, looked at before it is saved; ends on the list, found by its name."""
    page = visitor.go(f"{RECURRING}add/")
    page.fill("input[name=slug]", slug)
    page.fill("input[name=name]", slug)
    page.select_option("select[name=target]", "forget-answers")
    page.select_option("select[name=how]", "interval")
    page.fill("input[name=every]", "2")
    page.select_option("select[name=unit]", "hours")
    page.get_by_role("button", name=visitor.say("Preview the next runs")).click()
    expect(page.locator("#sl-preview li")).to_have_count(5)
    with page.expect_navigation():
        page.locator("button[name=_save]").click()
    expect(page).to_have_url(re.compile(rf"{RECURRING}$"))
    visitor.go(f"{RECURRING}?q={slug}")
