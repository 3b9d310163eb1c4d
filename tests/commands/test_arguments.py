"""What no command can mean is bad use: a sentence and exit code 2, nothing done, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from reservations.models import Reservation
from scheduler.models import Job
from tests.builders import make_reservation
from tests.commands.run import run
from tests.commands.test_job_commands import failed_job

pytestmark = pytest.mark.django_db
ENORMOUS = str(10**20)


@pytest.mark.parametrize("days", ["-1", "36501", "999999999", ENORMOUS])
def test_a_number_of_days_that_is_none_erases_nobody(days: str) -> None:
    make_reservation()
    answer = run("erase_guests", "--days", days)
    assert (answer.code, answer.out) == (2, "--days takes a whole number from 0 to 36500.")
    assert Reservation.objects.get().guest_erased_at is None


@pytest.mark.parametrize(
    "words",
    [
        ["clear_failed_jobs", "--older-than", "999999999"], ["clear_failed_jobs", "--older-than", ENORMOUS],
        ["list_jobs", "--limit", ENORMOUS], ["list_jobs", "--limit", "0"], ["list_jobs", "--limit", "-1"],
        ["retry_jobs", ENORMOUS], ["retry_jobs", "0"], ["replay_events", "--id", ENORMOUS],
        ["replay_events", "--id", "0"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_number_that_nothing_has_is_a_sentence(words: list[str]) -> None:
    failed_job()
    answer = run(*words)
    assert (answer.code, answer.out.count("takes a whole number from")) == (2, 1)
    assert Job.objects.get().state == Job.State.FAILED


@pytest.mark.parametrize("word", ["0001-01-01", "1999-12-31", "9999-12-31", "2026-02-30", "today"])
def test_a_sync_takes_days_of_this_age(word: str) -> None:
    answer = run("sync_reservations", "--from", word)
    assert answer.code
    assert "is not" in answer.out


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["clear_failed_jobs", "--kind", ""], "--kind"),
        (["retry_jobs", "--all", "--reservation", " "], "--reservation"),
        (["cancel_jobs", "", "--queue", "default"], "RESERVATION"),
        (["cancel_jobs", "--kind=", "--queue=default"], "--kind"),
        (["replay_events", "--reservation", "", "--state", "failed"], "--reservation"),
        (["job_status", ""], "RESERVATION"),
        (["reconcile_locks", "--lock", ""], "--lock"),
    ],
)
def test_an_empty_word_does_not_mean_everything(words: list[str], name: str) -> None:
    failed_job()
    answer = run(*words)
    assert (answer.code, answer.out) == (2, f"{name} is empty: say what is meant, or leave it out.")
    assert Job.objects.get().state == Job.State.FAILED


def test_bytes_that_are_no_text_are_a_sentence() -> None:
    program = (
        "import django; django.setup(); from django.core.management import execute_from_command_line as run; "
        "import sys; run(['manage.py', *sys.argv[1:]])"
    )
    words = [os.fsencode(sys.executable), b"-c", program.encode(), b"job_status", b"\xff\xfe"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    answer = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr == "'??' is not text in UTF-8: write it anew.\n"
