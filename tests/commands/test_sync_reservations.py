"""Without a login one plain sentence; otherwise what the sync did."""

from __future__ import annotations

import io

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from reservations.errors import StaysError, StaysRefused
from reservations.stays.client import StaysClient
from tests.commands.run import run

pytestmark = pytest.mark.django_db


def test_without_a_login_it_says_so(settings: LazySettings) -> None:
    settings.STAYS_CLIENT_SECRET = ""
    answer = run("sync_reservations")
    assert answer.code == 2
    assert "STAYS_CLIENT_SECRET" in answer.out


@pytest.mark.parametrize(("error", "code"), [(StaysError("It rests."), 1), (StaysRefused("Refused."), 2)])
def test_trouble_with_stays_is_a_sentence(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, error: StaysError, code: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    settings.STAYS_BASE_URL = "http://127.0.0.1:1"
    monkeypatch.setattr(StaysClient, "search", fail)
    answer = run("sync_reservations")
    assert (answer.code, answer.out) == (code, str(error))


def test_json_tells_the_counts(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STAYS_BASE_URL = "http://127.0.0.1:1"
    monkeypatch.setattr(StaysClient, "search", lambda *_, **__: iter([]))
    answer = run("sync_reservations", "--from", "2026-03-01", "--to", "2026-03-09", "--dry-run", "--json")
    assert answer.code == 0
    assert answer.json == {
        "from": "2026-03-01", "to": "2026-03-09", "dry_run": True, "seen": 0, "created": 0, "changed": 0, "gone": 0,
        "problems": [], "changes": [],
    }  # fmt: skip
    assert run("sync_reservations", "--from", "2026-03-09", "--to", "2026-03-01").code == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stderr", "shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_a_bar_grows_on_a_terminal_only(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, shown: bool
) -> None:
    stays = [{"_id": f"{number:024x}", "id": f"EV{number}J"} for number in range(4)]
    settings.STAYS_BASE_URL = "http://127.0.0.1:1"
    monkeypatch.setattr(StaysClient, "search", lambda *_, **__: iter(stays))
    monkeypatch.setattr(StaysClient, "reservation", lambda *_: None)
    out = io.StringIO()
    call_command("sync_reservations", "--dry-run", stdout=out, stderr=stderr)
    assert all(part in stderr.getvalue() for part in ("━", "75%", "3/4", "EV3J")) is shown
    assert "4 read" in out.getvalue()
    if shown:
        assert stderr.getvalue().endswith("\x1b[2K")  # it leaves nothing behind
    else:
        assert stderr.getvalue() == ""


def test_a_day_that_is_none_is_told_in_words() -> None:
    asked = run("sync_reservations", "--from", "2026-02-30")
    assert asked.code
    assert "'2026-02-30' is not a day of the calendar" in asked.out
