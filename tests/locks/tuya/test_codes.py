"""Every code of the reference table ends in the class the table names."""

from __future__ import annotations

import pytest

from locks.errors import (
    AccountBroken,
    Capacity,
    Configuration,
    DoorError,
    Limited,
    NameTaken,
    NotFound,
    Paused,
    PinTaken,
    Refused,
    Transient,
    UnknownOutcome,
    Unsupported,
    WaitForDevice,
)
from locks.tuya.codes import error_for
from scheduler.errors import Retry, Stop, Wait

TABLE: list[tuple[type[DoorError], tuple[int, ...]]] = [
    (Transient, (500, 1103, 1110, 1111, 1112, 1113, 1199, 2311, 2313, 2317, 2328, 40000309)),
    (Transient, (1010, 1011, 1012, 1013, 1400)),
    (Configuration, (1002, 1003, 1006, 1008, 1105, 1106, 1108, 2007)),
    (AccountBroken, (1001, 1004, 1005, 1114)),
    (
        AccountBroken,
        (28841001, 28841002, 28841003, 28841004, 28841101, 28841102, 28841103, 28841105, 28841106, 28841107, 28841999),
    ),
    (Refused, (1000, 1100, 1101, 1102, 1104, 1107, 1109, 2010, 2017, 2018, 2019)),
    (Refused, (2301, 2302, 2304, 2309, 2314, 2315, 2318, 2319, 2320)),
    (Unsupported, (2003, 2004, 2008, 2009)),
    (WaitForDevice, (2001, 2312)),
    (Capacity, (2303, 2305, 2307, 2308)),
    (NotFound, (2310, 2321, 2323)),
    (NameTaken, (2316,)),
    (PinTaken, (2322,)),
    (UnknownOutcome, (2306, 2324)),
]


@pytest.mark.parametrize(("error", "code"), [(error, code) for error, codes in TABLE for code in codes])
def test_code_maps_to_its_class(error: type[DoorError], code: int) -> None:
    raised = error_for(code, what="Reading the lock", tid="abc", write=False)
    assert type(raised) is error
    assert raised.brand_code == f"tuya_{code}"
    for part in ("Reading the lock", str(code), "tid abc"):
        assert part in str(raised)


@pytest.mark.parametrize("code", [500, 0, 4711])
def test_a_write_that_ends_in_the_unknown_is_read_before_it_is_repeated(code: int) -> None:
    assert type(error_for(code, what="Writing", tid="", write=True)) is UnknownOutcome
    assert type(error_for(code, what="Reading", tid="", write=False)) is Transient


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("OFFLINE_PWD_EXAUST_IN_PERIOD", Capacity),
        ("OFFLINE_PWD_NAME_REPEAT", NameTaken),
        ("LOCK_PWD_NAME_REPEAT", NameTaken),
        ("USER_PWD_ALREADY_EXIST", PinTaken),
        ("START_END_DATE_NOT_RIGHT", Refused),
        ("RECORD_NOT_EXIST", NotFound),
    ],
)
def test_troubles_without_a_published_number_are_known_by_name(word: str, error: type[DoorError]) -> None:
    raised = error_for(987654, what="Writing", tid="", write=True, msg=f"biz error: {word}")
    assert type(raised) is error
    assert word not in str(raised)


@pytest.mark.parametrize("code", [28841101, 28841102, 28841105, 28841106])
def test_an_api_the_plan_lacks_breaks_the_account_only_if_nothing_works_without_it(code: int) -> None:
    assert type(error_for(code, what="Writing", tid="", write=True)) is AccountBroken
    assert type(error_for(code, what="Reading the log", tid="", write=False, essential=False)) is Configuration


@pytest.mark.parametrize("code", [28841002, 28841004, 28841107])
def test_a_plan_that_has_ended_breaks_the_account_whatever_was_asked(code: int) -> None:
    assert type(error_for(code, what="Reading the log", tid="", write=False, essential=False)) is AccountBroken


@pytest.mark.parametrize("code", [1199, 40000309, 2311])
def test_too_fast_holds_back(code: int) -> None:
    assert (error_for(code, what="Writing", tid="", write=True).after or 0) >= 10


def test_too_fast_says_nothing_of_the_lock_but_of_the_cloud() -> None:
    """So the breaker of the account counts it, and a hundred stays do not ask every ten seconds."""
    assert error_for(1199, what="Writing", tid="", write=True).of_cloud


def test_every_class_names_one_policy() -> None:
    assert all(issubclass(error, Retry) for error in (Transient, UnknownOutcome))
    assert all(issubclass(error, Wait) for error in (WaitForDevice, Capacity, Limited, Paused))
    assert all(
        issubclass(error, Stop)
        for error in (Refused, PinTaken, NameTaken, NotFound, Unsupported, Configuration, AccountBroken)
    )
