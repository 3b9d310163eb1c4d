"""The first page follows the house by itself: its script in a real browser whose clock the test turns on."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.visitor import DESK, Visitor, Visits
from tests.journeys.house import House, wait_for
from tests.sandbox_process import LISTING, ZIGBEE

EVERY = 26_000  # milliseconds: a little more than what tonight.js waits
Arrive = Callable[[str], str]


@pytest.fixture
def olga(visits: Visits) -> Iterator[Visitor]:
    """A page of her own: its clock is not that of the wall."""
    visits.person("olga")
    visitor = visits.stranger("en", DESK, cookies=visits.cookies["olga"])
    visitor.page.clock.install()
    visitor.go("/admin/")
    visitor.page.evaluate("window.never_left = true")
    yield visitor
    visitor.page.context.close()


@pytest.fixture
def arrive(street: House, olga: Visitor) -> Iterator[Arrive]:
    """Books a stay of somebody new and turns the page's clock on until it is shown; returns the guest's name."""
    booked: list[str] = []
    street.sandbox.fault(ZIGBEE, "offline")  # what is proven is folded away, and that is a matter of seconds

    def arrival(word: str) -> str:
        guest = f"{word} {secrets.token_hex(4)}"
        person = {"name": guest, "email": "renewed@example.com", "language": "pt_BR"}
        times = street.times(ZIGBEE, 1800, 5400)
        booked.append(street.sandbox.book(listing=LISTING[ZIGBEE], type="booked", guest=person, **times)["_id"])
        # Among the arrivals: as a departure she is shown at once, while an arrival without trouble yet may be folded.
        shown = chain_of(olga.page, guest)
        wait_for(lambda: turn(olga.page) and shown.count(), why="the arrival is shown")
        return guest

    yield arrival
    street.sandbox.fault(ZIGBEE, "offline", on=False)
    for stay in booked:
        street.sandbox.cancel(stay)


def chain_of(page: Page, guest: str) -> Locator:
    return page.locator("#sl-tonight .sl-stay", has_text=guest).locator("details.sl-chain")


def test_a_new_arrival_appears_and_what_was_open_stays_open(olga: Visitor, arrive: Arrive) -> None:
    guest = arrive("Before")
    chain = chain_of(olga.page, guest)
    chain.locator("summary").press("Enter")
    arrive("After")
    expect(chain).to_have_attribute("open", "")
    expect(chain.locator("summary")).to_be_focused()
    assert olga.page.evaluate("window.never_left")


def test_it_says_when_it_cannot_renew_and_goes_on_when_it_can(olga: Visitor) -> None:
    status = olga.page.locator("#sl-renewed")
    olga.page.route("**/tonight/**", signed_out)
    turn(olga.page)
    expect(status).to_have_class("sl-renewed sl-bad")
    expect(olga.page.locator("#sl-tonight")).to_be_visible()
    olga.page.unroute("**/tonight/**")
    turn(olga.page)
    expect(status).to_have_class("sl-renewed")


def signed_out(route: Route) -> None:
    """What a session that ended meets: a page, but not the rows."""
    route.fulfill(status=200, content_type="text/html", body="<p>Sign in</p>")


def turn(page: Page) -> Page:
    """The script's next renewal, at once, and what it made of the answer."""
    status = page.locator("#sl-renewed")
    before = status.inner_text()
    page.clock.fast_forward(EVERY)
    expect(status).not_to_have_text(before, timeout=20_000)
    return page
