"""Takes the pictures of README from a running `make run`: `make screenshots`. Needs Chromium (CHROMIUM names one).

The demo has somebody for every page; start it afresh before (`manage.py seed_demo --reset`), its night grows old.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from deploy import environment
from deploy.chromium import ARGUMENTS, MISSING, chromium

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
HEAVY = 200_000  # bytes: whoever reads README waits for them
DESK, LOW_DESK, PHONE = (1200, 760), (1200, 560), (390, 844)
PAGES = {
    "tonight": "", "timeline": "timeline/", "jobs": "scheduler/job/", "locks": "locks/lock/",
    "events": "webhooks/webhookevent/", "recurring": "scheduler/recurringjob/",
}  # fmt: skip


def main() -> int:
    browser_path = chromium()
    if browser_path is None:
        print(f"There is {MISSING}.", file=sys.stderr)
        return 1
    env = environment.resolve(os.environ, environment.read(ROOT / ".env"), ROOT)
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        page = visitor(browser, LOW_DESK)
        page.goto(f"http://127.0.0.1:{env['SANDBOX_PORT']}/?lang=en")
        take(page, "keypad")
        page = visitor(browser, DESK)
        admin = f"http://127.0.0.1:{env['PORT']}/admin/"
        sign_in(page, admin, env["OPERATOR_PASSWORD"])
        for name, path in PAGES.items():
            page.goto(admin + path)
            take(page, name)
        page.goto(admin)
        page.locator("a[href*='/reservations/reservation/'][href$='/change/']").first.click()
        page.locator(".sl-story").evaluate("story => story.scrollIntoView()")
        take(page, "stay")
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        page.emulate_media(color_scheme="dark")
        page.goto(admin)
        take(page, "phone")
        page = visitor(browser, DESK, locale="pt-BR")
        sign_in(page, admin, env["OPERATOR_PASSWORD"])
        take(page, "tonight-pt")
        browser.close()
    return 0


def visitor(browser: Browser, size: tuple[int, int], locale: str = "en-US") -> Page:
    width, height = size
    return browser.new_page(viewport={"width": width, "height": height}, locale=locale, reduced_motion="reduce")


def sign_in(page: Page, address: str, password: str) -> None:
    page.goto(address)
    page.fill("input[name=username]", "operator")
    page.fill("input[name=password]", password)
    with page.expect_navigation():
        page.press("input[name=password]", "Enter")


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1000)  # the page draws what it has just fetched
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    if path.stat().st_size > HEAVY:
        print(f"{path.name} is heavy: {path.stat().st_size // 1000} kB", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
