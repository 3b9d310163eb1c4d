"""A person in a browser: a language, a width, a theme; every error and every request to the outside is remembered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.utils import translation
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Route

PASSWORD = "a-long-password"
DESK, PHONE = 1440, 390
GRAVE = ("serious", "critical")
# Unfold fades colours and slides menus: half-way they are neither readable nor measurable.
STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
Theme = Literal["light", "dark"]
Cookies = dict[str, Any]


@dataclass
class Visitor:
    """One page of one person; ``go`` opens addresses below the house's own."""

    web: str
    page: Page
    language: str

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.web}{path}")
        return self.page

    def say(self, english: str) -> str:
        """The catalogue's words in the visitor's language; in Portuguese there must be some."""
        with translation.override(self.language):
            words = translation.gettext(english)
        assert self.language == "en" or words != english, f"not in Portuguese: {english}"
        return words

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.go("/admin/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        with self.page.expect_navigation():
            self.page.press("input[name=password]", "Enter")

    def fact(self, english: str) -> Locator:
        """A line of a row's page that is only shown, by its title."""
        title = re.compile(rf"^\s*{re.escape(self.say(english))}\s*$", re.IGNORECASE)
        return self.page.locator(".field-line").filter(has=self.page.locator("label", has_text=title))

    def press_and_confirm(self, title: str) -> None:
        """A button above a row's page, and the same word in the dialog that asks whether it is meant."""
        self.page.wait_for_load_state()
        button = self.page.locator("a[hx-get]").filter(has_text=self.say(title)).first
        button.wait_for(state="attached")
        for menu in ("more_horiz", rf"\b{self.say('More')}\b"):  # the three dots of a phone; the longer tail of buttons
            opener = self.page.locator("a", has_text=re.compile(menu)).locator("visible=true")
            if not button.is_visible() and opener.count():
                opener.last.click()
        button.click()
        dialog = self.page.locator("#dialog form")
        with self.page.expect_navigation():
            dialog.locator("button[type=submit]").click()

    def faults(self, *rules: str) -> list[str]:
        """What axe finds serious or critical on the page as it stands; ``rules``: only these."""
        self.page.add_style_tag(content=STILL)
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if rules:
            options["runOnly"] = list(rules)
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{rule['id']}: {node['html'][:200]} {node['any'][0]['message'][:160] if node['any'] else ''}"
            for rule in found
            if rule["impact"] in GRAVE
            for node in rule["nodes"][:4]
        ]

    def faults_by_day_and_night(self) -> list[str]:
        """``faults``, and those of contrast in the other theme: it is the same page with a class more or less."""
        found = self.faults()
        self.page.evaluate("document.documentElement.classList.toggle('dark')")
        return found + self.faults("color-contrast")

    def wider_than_the_screen(self) -> int:
        """How many pixels one would have to scroll sideways."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@dataclass
class Visits:
    """Opens pages and remembers what went wrong on any of them. A person's page is opened once and used again."""

    web: str
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    cookies: dict[str, Cookies] = field(default_factory=dict)
    people: dict[tuple[str, str, int, Theme], Visitor] = field(default_factory=dict)

    def take_troubles(self) -> list[str]:
        taken, self.troubles = self.troubles, []
        return taken

    def stranger(self, language: str = "en", width: int = DESK, theme: Theme = "light", cookies: Any = None) -> Visitor:
        """Somebody who has not signed in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, storage_state=cookies,
            locale={"en": "en-US", "pt-br": "pt-BR"}[language], timezone_id="America/Sao_Paulo",
            reduced_motion="reduce",
        )  # fmt: skip
        context.set_default_timeout(20_000)
        context.route("**/*", self._only_here)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"{page.url}: {error}"))
        return Visitor(self.web, page, language)

    def person(self, name: str, language: str = "en", width: int = DESK, theme: Theme = "light") -> Visitor:
        """Somebody who has signed in before: that is tested once, and slow on purpose."""
        if name not in self.cookies:
            visitor = self.stranger()
            visitor.sign_in(name)
            self.cookies[name] = cast("Cookies", visitor.page.context.storage_state())
        key = (name, language, width, theme)
        if key not in self.people:
            self.people[key] = self.stranger(language, width, theme, self.cookies[name])
        return self.people[key]

    def _only_here(self, route: Route, request: Request) -> None:
        if urlsplit(request.url).hostname in ("127.0.0.1", None):
            route.continue_()
        else:
            self.troubles.append(f"asks outside: {request.url}")
            route.abort()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.troubles.append(f"{message.location.get('url', '')}: {message.text}")
