"""What we rely on Celery for, where its defaults would cost us."""

from __future__ import annotations

import gc
from unittest.mock import create_autospec

import pytest
from celery.fixups.django import DjangoWorkerFixup
from django.db import connection

from smartlock.celery import app, look_for_garbage_seldom, replace_broken_connections


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
