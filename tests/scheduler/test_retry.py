"""The retry curve is a pure function."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locks.tasks import NEVER_GIVE_UP, UNTIL_CHECK_OUT
from scheduler.errors import Retry, Stop, Wait
from scheduler.retry import DEFAULT, RetryPolicy, next_try
from tests.builders import NOW


def curve(policy: RetryPolicy, error: Exception, tries: int) -> list[float | None]:
    """Seconds between tries, without jitter."""
    still = RetryPolicy(**{**policy.__dict__, "jitter": 0})
    moments = [next_try(still, error, attempt=n, waits=n, now=NOW) for n in range(1, tries + 1)]
    return [(moment - NOW).total_seconds() if moment else None for moment in moments]


def test_the_default_is_three_attempts() -> None:
    assert curve(DEFAULT, Retry("x"), 3) == [2, 4, None]


def test_a_pin_is_tried_for_as_long_as_the_stay_lasts() -> None:
    assert curve(UNTIL_CHECK_OUT, Retry("x"), 5) == [2, 4, 8, 300, 300]


def test_a_removal_is_tried_quickly_for_a_quarter_of_an_hour_and_hourly_for_180_days() -> None:
    waits = curve(NEVER_GIVE_UP, Retry("x"), NEVER_GIVE_UP.max_attempts)
    quick = [wait for wait in waits if wait and wait < 3600]
    assert 14 * 60 <= sum(quick) <= 16 * 60
    assert sum(wait for wait in waits if wait) >= timedelta(days=179).total_seconds()
    assert None not in curve(NEVER_GIVE_UP, Stop("refused"), 100)


def test_stop_ends_other_kinds_at_once() -> None:
    assert next_try(UNTIL_CHECK_OUT, Stop("x"), attempt=1, waits=1, now=NOW) is None


def test_an_error_may_name_its_own_pause() -> None:
    assert curve(DEFAULT, Wait("busy", after=60), 1) == [60]


@pytest.mark.parametrize("policy", [DEFAULT, UNTIL_CHECK_OUT, NEVER_GIVE_UP])
@given(attempt=st.integers(1, 10_000), seed=st.integers())
def test_jitter_never_makes_a_retry_early(policy: RetryPolicy, attempt: int, seed: int) -> None:
    moment = next_try(policy, Retry("x"), attempt=attempt, waits=1, now=NOW, rng=random.Random(seed))
    if moment is not None:
        assert moment - NOW >= timedelta(seconds=policy.delay(attempt))
        assert moment - NOW <= timedelta(seconds=policy.delay(attempt) * 1.1)
