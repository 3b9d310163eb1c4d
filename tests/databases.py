"""The database of each process of pytest-xdist: the first process migrates one, and all of them copy it.

To migrate takes seconds of processor time, and four processes would take them at once. The pattern belongs to one run
of pytest (it lies in the run's own folder, or bears the run's own name) and goes with the last process that uses it.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    request: pytest.FixtureRequest,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """pytest-django makes the database next, as these settings say."""
    run: dict[str, str] = getattr(request.config, "workerinput", {})
    if not run:  # one process has nobody to share with
        yield
        return
    folder = tmp_path_factory.getbasetemp().parent  # of all processes of this run, and of no other run
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            name = stack.enter_context(pattern(folder, run["testrunuid"], run["workerid"]))
            test = connection.settings_dict["TEST"]
            test["MIGRATE"] = False
            if connection.vendor == "postgresql":
                test |= {"TEMPLATE": name, "NAME": f"test_{run['testrunuid']}_{run['workerid']}"}
            else:
                stack.enter_context(closing(copied_into_memory(name)))
        yield
        with django_db_blocker.unblock():
            stack.close()


@contextmanager
def pattern(folder: Path, run: str, worker: str) -> Iterator[str]:
    """The name of a migrated database that nobody writes to."""
    name = f"test_{run}" if connection.vendor == "postgresql" else str(folder / "pattern.sqlite3")
    users = folder / "users_of_the_pattern"
    with alone(folder):
        if not users.exists():
            make(name)
            users.mkdir()
        (users / worker).touch()
    try:
        yield name
    finally:
        with alone(folder):
            (users / worker).unlink()
            if not any(users.iterdir()):
                destroy(name)
                users.rmdir()


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One process after the other."""
    with (folder / "pattern.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make(name: str) -> None:
    """As Django would make the test database, by another name and left without a connection: PostgreSQL copies no
    database that somebody uses."""
    settings, test = connection.settings_dict, connection.settings_dict["TEST"]
    before = settings["NAME"], test["NAME"]
    test["NAME"] = name
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    if connection.vendor == "sqlite":  # one in memory cannot read what is written ahead
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    settings["NAME"], test["NAME"] = before


def destroy(name: str) -> None:
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    connection.creation.destroy_test_db(before, verbosity=0)


def copied_into_memory(name: str) -> sqlite3.Connection:
    """Django's database in memory, filled before Django opens it; it lives as long as somebody holds it open."""
    holder = sqlite3.connect(f"file:memorydb_{connection.alias}?mode=memory&cache=shared", uri=True)
    with closing(sqlite3.connect(name)) as source:
        source.backup(holder)
    return holder
