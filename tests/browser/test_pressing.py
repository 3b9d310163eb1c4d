"""What hurried fingers do: press twice, press after the session has ended, press what the server refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Request, expect

from tests.browser.visitor import DESK, Visitor, Visits

STAYS = "/admin/reservations/reservation/"
JOBS = "/admin/scheduler/job/"


@pytest.fixture
def olga(visits: Visits) -> Iterator[Visitor]:
    """A page of her own, for she loses her session here."""
    visits.person("olga")
    visitor = visits.stranger("en", DESK, cookies=visits.cookies["olga"])
    yield visitor
    visitor.page.context.close()


def run_now(visitor: Visitor) -> Locator:
    """The button on the page of some stay."""
    visitor.go(STAYS)
    row = visitor.page.locator(f"#result_list a[href*='{STAYS}']").first.get_attribute("href")
    assert row
    visitor.go(row)
    return visitor.page.locator("a[hx-get$='/run_now/']").first


def posts(visitor: Visitor) -> list[str]:
    """The addresses of what is sent from now on."""
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            sent.append(request.url)

    visitor.page.on("request", note)
    return sent


def test_a_dialog_is_sent_once_however_often_it_is_pressed(olga: Visitor) -> None:
    run_now(olga).click()
    sent = posts(olga)
    with olga.page.expect_navigation():
        olga.page.locator("#dialog button[type=submit]").click(click_count=3)
    assert len(sent) == 1


def test_a_dialog_that_was_filled_in_badly_may_be_sent_again(olga: Visitor) -> None:
    run_now(olga)
    olga.page.locator("a[hx-get$='/set_times/']").first.click()
    field = olga.page.locator("#dialog input[name=check_in]")
    for time in ("25:99", "26:00"):
        field.fill(time)
        with olga.page.expect_response(lambda answer: answer.request.method == "POST"):
            olga.page.locator("#dialog button[type=submit]").click()
        expect(olga.page.locator("#dialog")).to_contain_text("Enter a valid time.")


def test_a_bulk_action_is_sent_once_however_often_it_is_pressed(olga: Visitor) -> None:
    olga.go(f"{JOBS}?state__exact=scheduled")
    olga.page.locator("input[name=_selected_action]").first.check()
    olga.page.select_option("select[name=action]", "run_now")
    olga.page.locator("#changelist-form button[name=index]").first.click()
    sent = posts(olga)
    with olga.page.expect_navigation():
        olga.page.locator("form.sl-ask button[type=submit]").click(click_count=3)
    assert len(sent) == 1


def test_who_was_signed_out_meanwhile_is_asked_to_sign_in_and_comes_back(olga: Visitor) -> None:
    button = run_now(olga)
    page = olga.page.url
    olga.page.context.clear_cookies()
    button.click()
    expect(olga.page.locator("input[name=password]")).to_be_visible()
    olga.page.fill("input[name=username]", "olga")
    olga.page.fill("input[name=password]", "a-long-password")
    olga.page.press("input[name=password]", "Enter")
    olga.page.wait_for_url(page)


def test_what_the_server_refuses_is_said_and_not_an_empty_box(olga: Visitor, visits: Visits) -> None:
    button = run_now(olga)
    olga.page.route("**/run_now/", lambda route: route.fulfill(status=403, body="You may not."))
    button.click()
    expect(olga.page.get_by_text("You may not.")).to_be_visible()
    assert all("403" in trouble for trouble in visits.take_troubles())
