"""What is wrong with a PIN, as a table: facts in, codes out."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from locks import errors, troubles
from locks.errors import Capacity, PinTaken
from locks.models import Credential, Lock, total_exposure
from locks.troubles import troubles_of
from locks.tuya import codes as codes_of_tuya
from scheduler.errors import Stop
from tests.builders import NOW

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
STARTS, ENDS = NOW + 2 * HOUR, NOW + 50 * HOUR
ASKED = {"asked_at": NOW, "asked_starts_at": STARTS, "asked_ends_at": ENDS, "provider_ref": "1"}
PROVEN = ASKED | {"state": "on_lock", "lock_starts_at": STARTS, "lock_ends_at": ENDS}


def _is_an_error_of_a_door(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, errors.DoorError) and kind is not errors.DoorError


def codes(now: datetime, lock: dict[str, Any], facts: dict[str, Any]) -> list[str]:
    values = {"starts_at": STARTS, "ends_at": ENDS, "pin_sealed": b"sealed"} | facts
    row = Credential(lock=Lock(**{"name": "Porta", "radio": "zigbee"} | lock), **values)
    return [trouble.code for trouble in troubles_of(row, now)]


@pytest.mark.parametrize(
    ("now", "lock", "facts", "expected"),
    [
        (NOW, {}, {}, []),
        (NOW, {}, PROVEN, []),
        (STARTS, {}, PROVEN | {"last_error": "long ago"}, []),
        (NOW, {}, ASKED, []),
        (STARTS - 29 * MINUTE, {}, ASKED, ["not_confirmed"]),
        (NOW, {"radio": "wifi"}, ASKED, ["lock_sleeps"]),
        (NOW, {"online": False}, ASKED, ["lock_offline"]),
        (NOW, {}, ASKED | {"state": "unknown"}, ["answer_unreadable"]),
        (STARTS, {}, ASKED | {"state": "unknown"}, ["answer_unreadable", "not_confirmed"]),
        (NOW, {}, PROVEN | {"ends_at": ENDS + HOUR}, ["change_pending"]),
        (NOW, {}, {"pin_sealed": b""}, ["digits_erased"]),
        (NOW, {}, {"error_code": "door_full", "last_error": "full"}, ["lock_full"]),
        (NOW, {}, {"error_code": "door_configuration", "last_error": "x"}, ["account"]),
        (NOW, {}, {"error_code": "too_many_writes", "last_error": "x"}, ["too_many_writes"]),
        (NOW, {}, {"error_code": "door_refused", "last_error": "x"}, ["refused"]),
        (NOW, {}, {"error_code": "door_transient", "last_error": "no answer"}, ["cloud_trouble"]),
        (NOW, {}, {"error_code": "door_offline", "last_error": "no answer"}, ["not_answered"]),
        (NOW, {"radio": "wifi"}, ASKED | {"error_code": "door_offline", "last_error": "silent"}, ["lock_sleeps"]),
        (NOW, {}, {"error_code": "door_account_paused", "last_error": "paused"}, ["account"]),
        (NOW, {}, {"error_code": "of_another_brand", "last_error": "its own words"}, ["last_error"]),
        (NOW, {}, PROVEN | {"wanted": False, "bridges": True}, ["kept_as_bridge"]),
        (NOW, {}, PROVEN | {"wanted": False, "unwanted_at": NOW}, ["removal_pending"]),
        (NOW + 15 * MINUTE, {}, PROVEN | {"wanted": False, "unwanted_at": NOW}, ["removal_overdue"]),
        (ENDS + 15 * MINUTE, {}, PROVEN, ["removal_overdue"]),
        (ENDS + HOUR, {}, PROVEN | {"removed_at": ENDS}, []),
        (ENDS + HOUR, {}, {}, []),
    ],
)
def test_what_is_wrong(now: datetime, lock: dict[str, Any], facts: dict[str, Any], expected: list[str]) -> None:
    assert codes(now, lock, facts) == expected


def test_a_change_that_is_under_way_says_from_when_to_when() -> None:
    row = Credential(lock=Lock(name="Porta"), starts_at=STARTS, ends_at=ENDS + HOUR, **PROVEN)
    assert row.pending_change == (row.proven, row.wish)
    assert Credential(lock=Lock(name="Porta"), starts_at=STARTS, ends_at=ENDS, **PROVEN).pending_change is None


def test_what_was_never_sent_exposes_nobody() -> None:
    never = Credential(starts_at=STARTS, ends_at=ENDS)
    ended_early = Credential(starts_at=STARTS, ends_at=ENDS, unwanted_at=NOW, **ASKED)
    assert never.exposure(ENDS + HOUR) == timedelta(0)
    assert ended_early.exposure(NOW + HOUR) == HOUR
    assert total_exposure([never, ended_early, ended_early], NOW + HOUR) == 2 * HOUR


def test_every_sentence_is_translated() -> None:
    row = Credential(lock=Lock(name="Porta", radio="wifi", online=False), starts_at=STARTS, ends_at=ENDS, **ASKED)
    english = troubles_of(row, STARTS)
    with translation.override("pt-br"):
        portuguese = troubles_of(row, STARTS)
    assert [trouble.code for trouble in english] == [trouble.code for trouble in portuguese]
    for one, other in zip(english, portuguese, strict=True):
        assert one.text != other.text
        assert one.remedy != other.remedy
    assert Path(troubles.__file__).parent.joinpath("locale/pt_BR/LC_MESSAGES/django.mo").exists()


TUYAS = [int(number) for number in re.findall(r"(?m)^    (\d+): Verdict", Path(codes_of_tuya.__file__).read_text())]


@pytest.mark.parametrize("number", [*TUYAS, 28841002, 28841004, 4711])
@pytest.mark.parametrize("write", [True, False])
def test_whatever_tuya_says_is_explained_in_the_operators_language(number: int, write: bool) -> None:
    error = codes_of_tuya.error_for(number, what="Creating a PIN", tid="abc", write=write)
    row = Credential(
        lock=Lock(name="Porta", radio="zigbee"), starts_at=STARTS, ends_at=ENDS, pin_sealed=b"sealed",
        error_code=error.code, last_error=str(error),
    )  # fmt: skip
    (english,) = troubles_of(row, NOW)
    with translation.override("pt-br"):
        (portuguese,) = troubles_of(row, NOW)
    assert english.code == portuguese.code != "last_error"
    assert english.text != portuguese.text
    assert english.remedy != portuguese.remedy
    needs_a_person = isinstance(error, Stop | Capacity) and not isinstance(error, PinTaken)
    assert (english.level is troubles.Level.ERROR) == needs_a_person


@pytest.mark.parametrize("error", [kind for kind in vars(errors).values() if _is_an_error_of_a_door(kind)])
def test_every_kind_of_error_has_words(error: type[errors.DoorError]) -> None:
    row = Credential(
        lock=Lock(name="Porta", radio="zigbee"), starts_at=STARTS, ends_at=ENDS, pin_sealed=b"sealed",
        error_code=error.code, last_error="Anything.",
    )  # fmt: skip
    assert [trouble.code for trouble in troubles_of(row, NOW)] != ["last_error"]
