from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from notifications.languages import language_of, wall_clock, zone_note
from notifications.letters import first_name

THURSDAY = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
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
    assert zone_note(THURSDAY, MANAUS, SAO_PAULO) == "Manaus, UTC-4"
    assert zone_note(THURSDAY, SAO_PAULO, SAO_PAULO) == ""


@pytest.mark.parametrize(("name", "first"), [("ANA MARIA SOUZA", "Ana"), ("José", "José"), ("", ""), ("  ", "")])
def test_she_is_greeted_by_her_first_name(name: str, first: str) -> None:
    assert first_name(name) == first
