"""Several at once, on a database that has several writers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection, connections, transaction

from locks import allocate
from locks.holders import of_stay
from locks.models import Credential
from locks.pins import near
from locks.sealing import unseal
from scheduler import dispatcher, guard, services
from scheduler.models import Job
from scheduler.runner import run_one
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.scheduler.kinds_for_tests import EXCLUSIVE, PLAIN, doing
from webhooks.envelope import parse
from webhooks.models import WebhookEvent
from webhooks.services import receive
from webhooks.verification import Verdict

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("sqlite" in str(connection.vendor), reason="SQLite has one writer: nothing happens at once"),
]


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run all actions in threads of their own that start together; their results in order."""
    results: list[object] = [None] * len(actions)
    start = threading.Barrier(len(actions))

    def act(number: int, action: Callable[[], object]) -> None:
        start.wait(10)
        try:
            results[number] = action()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_dispatchers_share_the_work_and_never_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "BATCH", 5)
    for _ in range(10):
        services.schedule("tests.plain", due_at=NOW, now=NOW)
    Job.objects.update(published_at=None)
    both_hold = threading.Barrier(2)

    def take_and_hold() -> list[int]:
        with transaction.atomic():
            mine = [pair[0] for message in dispatcher.take(now=NOW) for pair in message.pairs]
            both_hold.wait(10)
        return mine

    first, second = at_once(take_and_hold, take_and_hold)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert (len(first), len(second), set(first) & set(second)) == (5, 5, set())


def test_of_many_workers_with_the_same_message_one_runs_it() -> None:
    ran: list[int] = []
    doing["plain"] = lambda run: ran.append(run.job_id)
    job = services.schedule("tests.plain", due_at=NOW, now=NOW)
    outcomes = at_once(*[lambda: run_one(PLAIN, job.pk, job.version, worker="w")] * 8)
    assert sorted(map(str, outcomes)) == ["stale"] * 7 + ["succeeded"]
    assert ran == [job.pk]


def test_of_many_jobs_of_one_subject_one_runs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard in Redis: the row alone keeps them apart."""
    monkeypatch.setattr(guard.Guard, "take", lambda _: None)
    inside, most = [0], [0]
    turned_away = threading.Semaphore(0)

    def count(_: object) -> None:
        """Stay until all the others have been at the door."""
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        for _other in range(5):
            turned_away.acquire(timeout=5)
        inside[0] -= 1

    def try_it(job: Job) -> str:
        outcome = run_one(EXCLUSIVE, job.pk, job.version, worker="w")
        turned_away.release()
        return outcome

    doing["exclusive"] = count
    jobs = [services.schedule("tests.exclusive", due_at=NOW, now=NOW, subject="thing:1") for _ in range(6)]
    outcomes = at_once(*[partial(try_it, job) for job in jobs])
    assert most == [1]
    assert sorted(map(str, outcomes)) == ["busy"] * 5 + ["succeeded"]


def test_stays_that_choose_at_once_never_get_near_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """P3. With digits from a tiny keypad, two choosers that did not see each other would collide."""
    monkeypatch.setattr("locks.pins.is_weak", lambda _: False)
    unit = make_accommodation()
    make_lock(unit, pin_length=4, pin_digits="1234")
    stays = [make_reservation(unit) for _ in range(4)]
    at_once(*[lambda stay=stay: allocate.allocate(of_stay(stay), now=NOW) for stay in stays])
    pins = [unsealed(credential) for credential in Credential.objects.all()]
    assert len(pins) == len(set(pins)) == 4
    assert not any(other in near(pin) for pin in pins for other in pins)


def unsealed(credential: Credential) -> str:
    return unseal(credential.pin_sealed)


def test_the_same_webhook_ten_times_at_once_is_stored_once() -> None:
    body = b'{"action": "reservation.modified", "_dt": "2026-03-05T12:00:00Z", "payload": {"_id": "a1"}}'

    def deliver() -> bool:
        return receive(parse(body), headers={}, body=body, verdict=Verdict.VERIFIED, remote=None, now=NOW)[1]

    assert sorted(at_once(*[deliver] * 10), key=bool) == [False] * 9 + [True]
    assert WebhookEvent.objects.get().deliveries == 10
    assert Job.objects.count() == 1
