"""What we rely on Celery for, where its defaults would cost us."""

from __future__ import annotations

import gc
import threading
from types import SimpleNamespace
from unittest.mock import create_autospec

import pytest
from celery.concurrency.thread import TaskPool
from celery.fixups.django import DjangoWorkerFixup
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from smartlock import celery
from smartlock.celery import app, look_for_garbage_seldom, replace_broken_connections, warm_threads_up, warm_up


def test_a_thread_keeps_its_database_connection_between_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Celery's fix-up would close it around each one: a thousand messages made a thousand connections."""
    fixup = DjangoWorkerFixup(app)
    closed = create_autospec(fixup._close_database)
    monkeypatch.setattr(fixup, "_close_database", closed)
    for _ in range(1000):
        fixup.close_database()
    assert not closed.called


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="its test database lives in memory and ends with it")
def test_a_connection_that_broke_is_replaced_before_the_next_message() -> None:
    connection.ensure_connection()
    broken = connection.connection
    broken.close()
    connection.errors_occurred = True
    replace_broken_connections()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.connection is not broken


def test_a_worker_that_is_ready_does_not_look_for_garbage_in_what_was_there_at_the_start() -> None:
    thresholds, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.set_threshold(700)  # Python's own, not that of our tests
    try:
        look_for_garbage_seldom()
        assert gc.get_freeze_count() > frozen
        assert gc.get_threshold()[0] > 700
    finally:
        gc.set_threshold(*thresholds)


def test_each_thread_of_a_worker_that_is_ready_is_warmed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = TaskPool(limit=3)
    warm = threading.Barrier(4)  # three threads and this one: nobody gets past it alone
    monkeypatch.setattr(celery, "warm_up", lambda: warm.wait(20))
    try:
        warm_threads_up(SimpleNamespace(pool=pool))
        warm.wait(20)
    finally:
        pool.on_stop()


@pytest.mark.django_db
def test_a_warm_thread_has_asked_the_database_and_looks_through_no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_local", threading.local())  # as in a new thread
    with CaptureQueriesContext(connection) as queries:
        warm_up()
    assert "scheduler_job" in queries[-1]["sql"]
    monkeypatch.setattr("celery.app.backends.load_extension_class_names", create_autospec(list, side_effect=OSError))
    assert app.backend


def test_a_database_that_is_away_does_not_stop_a_worker_that_becomes_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr("scheduler.due.look_up", away)
    warm_up()
