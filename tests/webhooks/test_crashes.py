"""A crash at every step of receipt and of processing: nothing that was accepted is lost, nothing is stored by half."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from reservations.models import Reservation
from scheduler.models import Job
from tests.builders import NOW, make_accommodation
from tests.engine import time_machine_at
from tests.reservations.stays_account import point_to, scripted
from tests.webhooks.deliveries import URL, body, knock, received, seconds, stay
from tests.webhooks.test_wsgi import call
from webhooks import inbox, services
from webhooks.models import WebhookEvent

GOOD = body("reservation.created", stay())
MOST = 60  # statements; a run without a crash needs fewer


class Killed(BaseException):
    """Not an Exception: nothing in the product may catch it, as nothing catches a SIGKILL."""


class Fuse:
    """Lets so many statements pass and then raises, before or after the next one has reached the database."""

    def __init__(self, statements: int, error: BaseException, *, after: bool) -> None:
        self.left, self.error, self.after = statements, error, after
        self.blown = False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begins = sql.startswith("BEGIN")  # SQLite only: Django would not know that it has begun
        self.left -= not begins
        if begins or self.left >= 0 or self.blown:
            return execute(sql, params, many, context)
        self.blown = True
        if self.after:
            execute(sql, params, many, context)
        raise self.error


@contextmanager
def crash_at(statement: int, error: BaseException, *, after: bool) -> Iterator[Fuse]:
    fuse = Fuse(statement, error, after=after)
    with connection.execute_wrapper(fuse):
        yield fuse


def whole() -> bool:
    """Every event is whole, and somebody will look for those that concern a door."""
    return all(bytes(event.body) == GOOD and event.headers for event in WebhookEvent.objects.all())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_statement_of_receipt_there_is_all_or_nothing_and_the_next_try_succeeds(after: bool) -> None:
    for statement in range(MOST):
        inbox.forget()
        with crash_at(statement, Killed(), after=after) as fuse:
            try:
                answer = knock(GOOD)
            except Killed:
                assert not WebhookEvent.objects.exists()
                assert not Job.objects.exists()
        assert whole()
        if not fuse.blown:
            assert (answer.status_code, WebhookEvent.objects.count(), Job.objects.count()) == (200, 1, 1)
            return
    raise AssertionError("it never came through")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("after", [False, True])
def test_a_connection_that_breaks_at_any_statement_of_receipt_is_replaced(after: bool) -> None:
    for statement in range(MOST):
        inbox.forget()
        WebhookEvent.objects.all().delete()
        Job.objects.all().delete()
        with crash_at(statement, OperationalError("server closed the connection"), after=after) as fuse:
            answer = call(URL, GOOD)
        assert answer is not None
        assert (answer.status_code, WebhookEvent.objects.count(), Job.objects.count()) == (200, 1, 1)
        if not fuse.blown:
            return
    raise AssertionError("it never came through")


def work_until_quiet(machine: Any) -> None:
    """The ticks and the workers, for some minutes at most, as if nothing had happened."""
    for _ in range(40):
        quiet = not WebhookEvent.objects.exclude(state=WebhookEvent.State.PROCESSED).exists()
        machine.until(machine.now + seconds(10))
        inbox.look_after(now=machine.now)
        inbox.sort(now=machine.now)
        if quiet:  # and they have come once more, for what it left behind
            return


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["sort", "process"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_statement_of_processing_the_event_still_gets_through(
    settings: Settings, step: str, after: bool
) -> None:
    make_accommodation(external_id="L1")
    for statement in range(MOST):
        with time_machine_at(NOW + timedelta(hours=statement)) as machine, scripted(*[(200, stay())] * 9) as stays:
            point_to(settings, stays.base_url)
            event = received("reservation.created", stay(), now=machine.now)
            if step == "process":
                inbox.sort(now=machine.now + seconds(5))
            with crash_at(statement, Killed(), after=after) as fuse:
                try:
                    if step == "sort":
                        inbox.sort(now=machine.now + seconds(5))
                    else:
                        services.process(event.pk, now=machine.now + seconds(5))
                except Killed:
                    pass
            work_until_quiet(machine)
            event.refresh_from_db()
            assert (event.state, Reservation.objects.get().status) == ("processed", "booked")
            if not fuse.blown:
                return
            Reservation.objects.all().delete()
    raise AssertionError("it never came through")
