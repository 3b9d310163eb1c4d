"""What an operator does in a day, in a real browser, with a real house behind it and a door that opens or does not."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.visitor import DESK, PHONE, Visitor, Visits
from tests.journeys.house import House, wait_for
from tests.journeys.test_a_guest_stay import pin_in
from tests.sandbox_process import BLE, LISTING, ZIGBEE

EVENTS = "/admin/webhooks/webhookevent/"
STAYS = "/admin/reservations/reservation/"
JOBS = "/admin/scheduler/job/"


class Booking(NamedTuple):
    id: str
    email: str


Book = Callable[..., Booking]


@pytest.fixture(params=[("en", DESK), ("pt-br", PHONE)], ids=["desk", "phone"])
def olga(request: pytest.FixtureRequest, visits: Visits) -> Visitor:
    """An operator who is also the engineer, on a desk in English and on a phone in Portuguese."""
    language, width = request.param
    return visits.person("olga", language, width)


@pytest.fixture
def guest() -> str:
    """Somebody else in every test, so that a search never finds the stay of the test before."""
    return f"Ana {secrets.token_hex(4)}"


@pytest.fixture
def book(street: House, guest: str, request: pytest.FixtureRequest) -> Iterator[Book]:
    """Books a stay at the pretend Stays. It is cancelled when the walk is over."""
    booked: list[str] = []
    email = re.sub(r"\W+", "-", request.node.name).lower() + "@example.com"

    def booking(door: str, **times: float) -> Booking:
        person = {"name": guest, "email": email, "language": "pt_BR"}
        when = street.times(door, times["starts_in"], times["starts_in"] + times["lasts"])
        booked.append(street.sandbox.book(listing=LISTING[door], type="booked", guest=person, **when)["_id"])
        return Booking(booked[-1], email)

    yield booking
    for stay in booked:
        street.sandbox.cancel(stay)


def test_signing_in_takes_the_right_password(visits: Visits) -> None:
    for language, width in (("en", DESK), ("pt-br", PHONE)):
        visitor = visits.stranger(language, width)
        visitor.sign_in("olga", "not-her-password")
        expect(visitor.page.locator("input[name=password]")).to_be_visible()
        expect(visitor.page.get_by_text("olga")).to_have_count(0)
        visitor.sign_in("olga")
        expect(visitor.page.locator("input[name=password]")).to_have_count(0)
        expect(visitor.page.locator("#sl-arrivals, .sl-board").first).to_be_visible()


def test_tonights_guest_is_one_click_from_her_stay(street: House, olga: Visitor, guest: str, book: Book) -> None:
    pin = pin_in(street.mail(book(BLE, starts_in=1800, lasts=3600).email)["body"])
    olga.go("/admin/")
    assert pin not in olga.page.content()
    olga.page.get_by_role("link", name=guest).first.click()
    expect(olga.page).to_have_url(re.compile(r"/reservations/reservation/\d+/change/"))
    expect(olga.page.locator(".sl-head .sl-success")).to_be_visible()
    assert pin not in olga.page.content()


def test_a_revoked_pin_shuts_the_door(street: House, olga: Visitor, guest: str, book: Book) -> None:
    pin = pin_in(street.mail(book(ZIGBEE, starts_in=-60, lasts=3600).email)["body"])
    wait_for(lambda: street.opens(ZIGBEE, pin), why="the door opens to the guest")
    open_stay(olga, guest)
    olga.press_and_confirm("Revoke PINs now")
    wait_for(lambda: not street.opens(ZIGBEE, pin), why="the door is shut")


def test_a_cancelled_booking_shuts_the_door_and_its_page_says_so(
    street: House, olga: Visitor, guest: str, book: Book
) -> None:
    booking = book(BLE, starts_in=-60, lasts=3600)
    pin = pin_in(street.mail(booking.email)["body"])
    assert street.opens(BLE, pin)
    open_stay(olga, guest)
    head = olga.page.locator(".sl-head")
    expect(head).to_contain_text(olga.say("proven on the door"))
    street.sandbox.cancel(booking.id)
    proven = olga.say("removal proven")
    wait_for(lambda: olga.page.reload() and proven in head.inner_text(), why="the page says that the PIN is gone")
    assert not street.opens(BLE, pin)
    expect(olga.fact("status")).to_contain_text(olga.say("cancelled"))


def test_a_failed_pin_is_mended_by_trying_again(street: House, olga: Visitor, guest: str, book: Book) -> None:
    street.sandbox.fault(BLE, "ticket_stale")
    email = book(BLE, starts_in=-60, lasts=3600).email
    wait_for(lambda: on_the_shelf(olga, guest), why="the job is on the shelf of failed ones")
    street.sandbox.fault(BLE, "ticket_stale", on=False)
    on_the_shelf(olga, guest)[0].click()
    olga.press_and_confirm("Try again")
    pin = pin_in(street.mail(email)["body"])
    assert street.opens(BLE, pin)


def test_an_event_is_replayed(street: House, olga: Visitor, guest: str, book: Book) -> None:
    street.mail(book(ZIGBEE, starts_in=1800, lasts=3600).email)
    olga.go(f"{EVENTS}?state__exact=processed")
    olga.page.locator("#result_list a[href*='/change/']").first.click()
    before = processed(olga)
    olga.press_and_confirm("Replay")
    wait_for(
        lambda: olga.page.reload() and processed(olga) > before, seconds=60, why="it is processed once more"
    )  # fmt: skip


def test_a_guests_jobs_are_found_and_the_stay_is_on_the_timeline(
    street: House, olga: Visitor, guest: str, book: Book
) -> None:
    street.mail(book(ZIGBEE, starts_in=-60, lasts=3600).email)
    olga.go(f"{JOBS}?q={guest}")
    found = olga.page.locator("#result_list tbody tr")
    expect(found.filter(has_text=guest).first).to_be_visible()
    expect(found.filter(has_not_text=guest)).to_have_count(0)
    olga.go("/admin/timeline/")
    olga.page.locator(".tl-stay", has_text=guest).last.click()
    expect(olga.page).to_have_url(re.compile(r"/reservations/reservation/\d+/change/"))
    expect(olga.page.get_by_text(guest).first).to_be_visible()


def test_a_stay_on_the_timeline_is_reached_without_a_mouse(
    street: House, olga: Visitor, guest: str, book: Book
) -> None:
    street.mail(book(ZIGBEE, starts_in=-60, lasts=3600).email)
    olga.go("/admin/timeline/")
    page, frame = olga.page, olga.page.locator(".tl-frame")
    frame.focus()
    room = "one => [one.scrollLeft, one.scrollWidth - one.clientWidth]"
    before, hidden = frame.evaluate(room)
    page.keyboard.press("ArrowRight")
    wait_for(lambda: frame.evaluate(room)[0] > before or not hidden, why="what is hidden on the right is scrolled to")
    tab_to(olga, page.locator(".tl-stay", has_text=guest).last)
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/reservations/reservation/\d+/change/"))
    expect(page.get_by_text(guest).first).to_be_visible()


def open_stay(visitor: Visitor, guest: str) -> None:
    """Two clicks: search, and the row."""
    visitor.go(f"{STAYS}?q={guest}")
    visitor.page.locator("#result_list a[href*='/change/']").first.click()


def tab_to(visitor: Visitor, goal: Locator) -> None:
    """With the Tab key alone, from where the focus is."""
    for _step in range(100):
        visitor.page.keyboard.press("Tab")
        if goal.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"the Tab key does not lead to {goal}")


def on_the_shelf(visitor: Visitor, guest: str) -> list[Locator]:
    visitor.go(f"{JOBS}?state__exact=failed")
    return [
        row.locator("a[href*='/change/']").first
        for row in visitor.page.locator("#result_list tr", has_text=guest).all()
    ]


def processed(visitor: Visitor) -> str:
    """The latest moment on the event's page: when it was processed last, or came in while it waits."""
    times = visitor.page.locator("time[datetime]").evaluate_all("all => all.map(one => one.dateTime)")
    return max(map(str, times), default="")
