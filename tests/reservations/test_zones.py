"""Where a listing is, and so which clock it goes by: a proposal with its reason."""

from __future__ import annotations

import math
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reservations.zones import STATES, propose

WINTER = datetime(2026, 7, 1, tzinfo=UTC)


def offset(zone: str) -> float:
    there = WINTER.astimezone(zoneinfo.ZoneInfo(zone)).utcoffset()
    assert there is not None
    return there / timedelta(hours=1)


@pytest.mark.parametrize(
    ("place", "hours"),
    [
        ({"state": "RJ"}, -3), ({"state": "São Paulo"}, -3), ({"state": "sp"}, -3), ({"state": "PE"}, -3),
        ({"state": "AM", "city": "Manaus"}, -4), ({"state": "Amazonas"}, -4), ({"state": "MT"}, -4),
        ({"state": "MS"}, -4), ({"state": "RO"}, -4), ({"state": "RR"}, -4),
        ({"state": "AC"}, -5), ({"state": "Acre", "city": "Cruzeiro do Sul"}, -5),
        ({"state": "AM", "city": "Eirunepé"}, -5), ({"state": "AM", "latitude": -6.66, "longitude": -69.87}, -5),
        ({"state": "AM", "latitude": -3.12, "longitude": -60.02}, -4),
        ({"state": "AM", "latitude": -0.13, "longitude": -67.09}, -4),
        ({"state": "PE", "city": "Fernando de Noronha"}, -2), ({"state": "FN"}, -2),
        ({"state": "PE", "latitude": -3.85, "longitude": -32.42}, -2),
        ({"state": "PE", "latitude": -8.05, "longitude": -34.88}, -3),
        ({"latitude": -22.97, "longitude": -43.18}, -3), ({"latitude": -9.97, "longitude": -67.81}, -5),
        ({"latitude": -3.1, "longitude": -60.0}, -4), ({"latitude": -3.84, "longitude": -32.41}, -2),
    ],
)  # fmt: skip
def test_state_and_coordinates_name_one_of_brazils_four_clocks(place: dict[str, Any], hours: float) -> None:
    proposal = propose(country="BR", **place)
    assert (offset(proposal.zone), bool(proposal.reason)) == (hours, True)


def test_every_state_has_a_zone() -> None:
    assert len(STATES) == 28
    assert {offset(zone) for zone in STATES.values()} == {-2, -3, -4, -5}


@pytest.mark.parametrize(
    "place",
    [{}, {"country": "PT", "state": "RJ"}, {"latitude": 0.0, "longitude": 0.0}, {"latitude": 48.8, "longitude": 2.3},
     {"latitude": math.nan, "longitude": -43.0}, {"latitude": 999.0, "longitude": 0.0}, {"state": "XX"}],
)  # fmt: skip
def test_where_nothing_is_known_nothing_is_proposed_and_the_reason_says_so(place: dict[str, Any]) -> None:
    proposal = propose(**place)
    assert (proposal.zone, bool(proposal.reason)) == ("", True)


def test_coordinates_that_contradict_the_state_are_mentioned() -> None:
    assert "elsewhere" in propose(country="BR", state="RJ", latitude=48.8, longitude=2.3).reason


@given(state=st.text(max_size=5), city=st.text(max_size=9), latitude=st.floats(), longitude=st.floats())
def test_nothing_is_too_odd(state: str, city: str, latitude: float, longitude: float) -> None:
    proposal = propose(country="BR", state=state, city=city, latitude=latitude, longitude=longitude)
    assert proposal.zone == "" or proposal.zone in zoneinfo.available_timezones()
