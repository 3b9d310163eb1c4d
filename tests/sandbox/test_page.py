"""The page for a person: both languages complete, nothing fetched from outside, and a PIN typed in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy.chromium import ARGUMENTS, MISSING, chromium
from sandbox.faults import KNOWN
from sandbox.texts import EN, FAULTS_PT, PT
from tests.sandbox.conftest import Bench
from tests.sandbox.wire import WireCaller
from tests.sandbox_process import ROOT, ZIGBEE, RunningSandbox

STATIC = ROOT / "sandbox" / "static"
BROWSER = chromium()
# The keypads that stick out of the cards they lie in.
CROPPED = """[...document.querySelectorAll('.keypad, .doorway')].filter((part) => {
  const inner = part.getBoundingClientRect(), outer = part.closest('.scene').getBoundingClientRect();
  return inner.left < outer.left || inner.right > outer.right;
}).map((part) => part.className)"""


@pytest.mark.parametrize(
    ("url", "accepts", "words"),
    [
        ("/", "pt-BR,pt;q=0.9,en;q=0.8", "O mundo lá fora"),
        ("/", "en-GB,en", "The outside world"),
        ("/", "de", "The outside world"),
        ("/?lang=pt", "en", "O mundo lá fora"),
        ("/?lang=en", "pt-BR", "The outside world"),
        ("/?lang=xx", "pt", "O mundo lá fora"),
    ],
)
def test_the_page_speaks_the_readers_language(bench: Bench, url: str, accepts: str, words: str) -> None:
    assert words in bench.http.get(url, headers={"Accept-Language": accepts}).text


def test_both_languages_say_everything() -> None:
    assert EN.keys() == PT.keys()
    assert FAULTS_PT.keys() == KNOWN.keys()
    holes = re.compile(r"\{\w+\}")
    assert all(sorted(holes.findall(EN[key])) == sorted(holes.findall(PT[key])) for key in EN)


def test_every_word_the_scripts_ask_for_exists() -> None:
    asked = {key for path in STATIC.glob("*.js") for key in re.findall(r'say\("(\w+)"', path.read_text())}
    assert asked
    assert asked <= EN.keys()


def test_nothing_is_fetched_from_outside(bench: Bench) -> None:
    page = bench.http.get("/")
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    files = [page.text, *(path.read_text() for path in STATIC.iterdir())]
    addresses = {address for text in files for address in re.findall(r"https?://[\w./]+", text)}
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_every_file_of_the_page_is_served(bench: Bench) -> None:
    for path in sorted(Path(STATIC).iterdir()):
        assert bench.http.get(f"/static/{path.name}").status_code == 200


@pytest.mark.skipif(BROWSER is None, reason=MISSING)
def test_a_person_types_a_pin_and_the_door_opens(sandbox: RunningSandbox) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    WireCaller(sandbox.base_url).created(ZIGBEE, "192837", end=3600)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("requestfailed", lambda request: troubles.append(request.url))
        page.goto(f"{sandbox.base_url}/?lang=en")
        door = page.locator(f"[data-door={ZIGBEE}]")
        sync_api.expect(door.locator("[data-codes] .tag")).to_have_text("opens now")

        for key in "000000":
            door.locator(f'[data-key="{key}"]').click()
        door.locator(".enter").click()
        sync_api.expect(door.locator("[data-said]").first).to_contain_text("does not know this PIN")

        door.locator("input[name=pin]").fill("192837")
        page.keyboard.press("Enter")
        sync_api.expect(door.locator("[data-said]").first).to_contain_text("The door opens")

        door.get_by_role("button", name="Pried open").click()
        sync_api.expect(door.locator("[data-said]").first).to_contain_text("somebody forces it")
        door.get_by_role("button", name="Battery at 10 %").click()
        sync_api.expect(door.locator("[data-battery]")).to_have_text("10 %")
        door.get_by_role("button", name="A wrong PIN").click()
        sync_api.expect(door.locator("[data-said]").first).to_contain_text("does not know this PIN")
        door.locator("summary", has_text="What happened here").click()
        lines = door.locator("[data-log] li span")
        sync_api.expect(lines).to_contain_text(
            ["does not know this PIN", "Alarm: somebody forces", "code 1", "does not know this PIN"]
        )

        page.locator("[data-book] button[type=submit]").click()
        sync_api.expect(page.locator("[data-stays] .code-name")).to_have_text("Ana Teste")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for width in (390, 1024, 1200, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(CROPPED) == []
        browser.close()
    assert troubles == []
