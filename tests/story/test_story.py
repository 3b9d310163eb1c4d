"""The demonstration runs, shows what it claims, and cannot touch anything real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.story.story import Story

ROOT = Path(__file__).resolve().parents[2]
IN_ORDER = (
    r"05 Mar 09:00:00  Ana books",
    r"generate_pin at 06 Mar 14:00: scheduled",
    r"06 Mar 14:00:00 .* the worker is killed",
    r"06 Mar 14:02:00 .* locks.generate_pin: done",
    r"notifications.tell_guest: done",
    r"06 Mar 14:59:59  Ana types (\d{6}): the door stays shut",
    r"06 Mar 15:00:00  Ana types (\d{6}): the door opens",
    r"07 Mar 11:00:00 .* locks.change_window: done",
    r"09 Mar 11:00:00  Ana types (\d{6}): the door opens",
    r"10 Mar 11:00:00 .* locks.revoke_pin: done",
    r"10 Mar 11:00:00  Ana types (\d{6}): the door stays shut",
    r"the door holds 0 PINs",
)


@pytest.mark.django_db
def test_the_whole_life_of_a_stay_is_told_in_order_by_the_clock_of_the_unit() -> None:
    lines: list[str] = []
    Story(lines.append).tell()
    found = re.search(".*".join(IN_ORDER), "\n".join(lines), re.S)
    assert found, "\n".join(lines)
    assert len(set(found.groups())) == 1, "one PIN from the first letter to the last day"


def test_it_asks_for_no_real_database_broker_or_lock_whatever_the_environment_names(tmp_path: Path) -> None:
    mine = tmp_path / "mine.sqlite3"
    real = {
        "DATABASE_URL": f"sqlite:///{mine}", "REDIS_URL": "redis://redis.invalid/0", "EMAIL_URL": "smtp://mail.invalid",
        "TUYA_BASE_URL": "https://tuya.invalid", "STAYS_BASE_URL": "https://stays.invalid",
        "DJANGO_SETTINGS_MODULE": "smartlock.settings",
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.story"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **real}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "the door holds 0 PINs" in done.stdout
    assert not mine.exists()
