from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from notifications.languages import language_of, wall_clock, zone_note
from notifications.letters import first_name

THURSDAY, SUNDAY = (datetime(2026, 11, day, 18, 0, tzinfo=UTC) for day in (26, 29))
SAO_PAULO, MANAUS = ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/Manaus")


@pytest.mark.parametrize(
    ("tag", "phone", "language"),
    [
        ("pt_BR", "", "pt-br"), ("pt-BR", "+1 212", "pt-br"), ("pt", "", "pt-br"), ("PT-PT", "", "pt-br"),
        ("en-US", "+5511900000000", "en"), ("en", "", "en"), ("es", "", "es"), ("es_419", "", "es"), ("fr", "", "en"),
        ("", "+55 (11) 90000-0000", "pt-br"), ("", "0055 11 900000000", "pt-br"), ("", "5511900000000", "pt-br"),
        ("", "+1 555 0100", "en"), ("", "", "en"),
    ],
)  # fmt: skip
def test_the_nearest_language(tag: str, phone: str, language: str) -> None:
    assert language_of(tag, phone) == language


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pt-br", "quinta-feira, 26 de novembro, 15:00"),
        ("en", "Thursday, 26 November, 15:00"),
        ("es", "jueves, 26 de noviembre, 15:00"),
    ],
)
def test_times_as_the_property_shows_them(language: str, text: str) -> None:
    assert wall_clock(THURSDAY, SAO_PAULO, language) == text


def test_the_zone_is_named_only_where_it_is_another() -> None:
    assert zone_note(THURSDAY, SUNDAY, MANAUS, SAO_PAULO) == "Manaus, UTC-4"
    assert zone_note(THURSDAY, SUNDAY, SAO_PAULO, SAO_PAULO) == ""


@pytest.mark.parametrize(
    ("zone", "month", "note"),
    [
        ("Europe/Berlin", 3, "Berlin, UTC+1 → UTC+2"), ("Europe/Berlin", 10, "Berlin, UTC+2 → UTC+1"),
        ("Europe/Berlin", 6, "Berlin, UTC+2"), ("Asia/Kathmandu", 3, "Kathmandu, UTC+5:45"),
        # At check-in the clock there and the usual one agree, at check-out they do not.
        ("America/Santiago", 4, "Santiago, UTC-3 → UTC-4"),
    ],
)  # fmt: skip
def test_a_clock_that_changes_during_the_stay_is_told_with_both(zone: str, month: int, note: str) -> None:
    first, last = {3: (27, 29), 4: (3, 5), 6: (1, 3), 10: (30, 31)}[month]
    starts_at, ends_at = (datetime(2027, month, day, 14, 0, tzinfo=UTC) for day in (first, last))
    assert zone_note(starts_at, ends_at, ZoneInfo(zone), SAO_PAULO) == note


@pytest.mark.parametrize(("name", "first"), [("ANA MARIA SOUZA", "Ana"), ("José", "José"), ("", ""), ("  ", "")])
def test_she_is_greeted_by_her_first_name(name: str, first: str) -> None:
    assert first_name(name) == first
