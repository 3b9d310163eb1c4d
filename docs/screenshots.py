"""Takes the pictures of README from a running `make run`: `make screenshots`. Needs Debian's chromium."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from deploy import environment

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def main() -> int:
    browser_path = shutil.which("chromium")
    if browser_path is None:
        print("No chromium here: install Debian's package of that name.", file=sys.stderr)
        return 1
    env = environment.resolve(os.environ, environment.read(ROOT / ".env"), ROOT)
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 860}, locale="en-US")
        page.goto(f"http://127.0.0.1:{env['SANDBOX_PORT']}/?lang=en")
        take(page, "keypad")
        sign_in(page, f"http://127.0.0.1:{env['PORT']}/admin/", env["OPERATOR_PASSWORD"])
        take(page, "admin")
        page.set_viewport_size({"width": 390, "height": 844})
        take(page, "admin-phone")
        browser.close()
    return 0


def sign_in(page: Page, address: str, password: str) -> None:
    page.goto(address)
    page.fill("input[name=username]", "operator")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def take(page: Page, name: str) -> None:
    page.wait_for_timeout(1500)  # the page draws what it has just fetched
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
