"""A poll that is cut off goes on where it was, one at a time, and counts what no webhook had told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from reservations import runs, tasks
from reservations.errors import StaysError
from reservations.models import Reservation, SourceState, SyncRun
from reservations.stays.client import StaysClient
from reservations.sync import sync
from scheduler.claims import Run
from scheduler.models import Job
from scheduler.recurring import targets
from scheduler.services import schedule
from tests.builders import NOW, make_accommodation
from tests.reservations.stays_account import COPACABANA, book, point_to
from tests.sandbox_process import RunningSandbox

pytestmark = pytest.mark.django_db
START, END = date(2026, 3, 1), date(2026, 3, 31)


class Killed(BaseException):
    pass


class Clock:
    """A second passes with each look at it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The reservations that were read whole."""
    read: list[str] = []
    real = StaysClient.reservation

    def reading(self: StaysClient, name: str) -> Any:
        read.append(name)
        return real(self, name)

    monkeypatch.setattr(StaysClient, "reservation", reading)
    return read


@pytest.fixture
def four(account: RunningSandbox) -> list[str]:
    make_accommodation(external_id=COPACABANA)
    return [
        book(account, checkInDate=f"2026-03-{day:02}", checkOutDate=f"2026-03-{day + 1:02}")["_id"]
        for day in (3, 5, 7, 9)
    ]


def go(clock: Clock, *, full: bool = True, **options: Any) -> tuple[SyncRun, Any]:
    with StaysClient.from_settings() as client:
        return runs.run_sync(client, "test", START, END, now=clock, full=full, **options)


@pytest.mark.parametrize("death", [Killed, StaysError])
def test_a_run_that_was_cut_off_reads_only_what_is_left(
    four: list[str], calls: list[str], death: type[BaseException]
) -> None:
    clock = Clock(NOW)

    def die(done: int, _total: int, _text: str) -> None:
        if done == 2:
            raise death("cut off")

    with pytest.raises(death):
        go(clock, on_progress=die)
    assert calls == four[:2]
    if death is Killed:
        with pytest.raises(runs.Busy):
            go(clock)
        clock.now += runs.LEASE
    calls.clear()
    assert runs.unfinished("test", now=clock()) is not None
    run, result = go(clock)
    assert calls == four[2:]
    assert (run.state, run.resumed, result.seen, run.finished_at) == ("done", 1, 4, run.finished_at)
    assert Reservation.objects.count() == 4
    assert runs.unfinished("test", now=clock()) is None


def test_a_run_that_nobody_took_up_is_given_up(four: list[str]) -> None:
    clock = Clock(NOW)
    SyncRun.objects.create(key="test", start=START, end=END, started_at=NOW, lease_until=NOW)
    clock.now += timedelta(hours=13)
    go(clock)
    assert sorted(SyncRun.objects.values_list("state", flat=True)) == ["abandoned", "done"]
    assert len(four) == Reservation.objects.count()


def test_what_was_read_lately_and_is_the_same_is_not_read_again_unless_in_full(
    account: RunningSandbox, four: list[str], calls: list[str]
) -> None:
    clock = Clock(NOW)
    go(clock)
    calls.clear()
    go(clock, full=False)
    assert calls == []
    account.change(four[1], checkOutDate="2026-03-20", webhook=False)
    run, _result = go(clock, full=False)
    assert (calls, run.changed) == ([four[1]], 1)
    go(clock, full=True)
    assert sorted(calls[1:]) == sorted(four)
    calls.clear()
    clock.now += timedelta(hours=7)
    go(clock, full=False)
    assert sorted(calls) == sorted(four), "the search tells nothing of the guest"


def test_a_guest_who_cannot_be_reached_is_asked_for_every_time(account: RunningSandbox, calls: list[str]) -> None:
    make_accommodation(external_id=COPACABANA)
    booked = book(account, guest={"name": "Ana"})
    clock = Clock(NOW)
    go(clock)
    account.change(booked["_id"], guest={"email": "ana@example.org"}, webhook=False)
    go(clock, full=False)
    assert Reservation.objects.get().guest_email == "ana@example.org"
    assert len(calls) == 2


def test_the_stay_is_saved_even_when_its_guest_cannot_be_read(
    account: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_accommodation(external_id=COPACABANA)
    book(account)

    def fail(*_: object) -> None:
        raise StaysError("The clients rest.")

    with monkeypatch.context() as patch:
        patch.setattr(StaysClient, "client", fail)
        run, result = go(Clock(NOW))
    assert (run.created, len(result.problems)) == (1, 1)
    assert "The clients rest." in result.problems[0]
    assert Reservation.objects.get().guest_email == ""


def test_one_listing_alone_can_be_asked_for(account: RunningSandbox, four: list[str]) -> None:
    make_accommodation(external_id="6908f6db00000000000000b2")
    book(account, listing="6908f6db00000000000000b2")
    with StaysClient.from_settings() as client:
        result = sync(client, START, END, now=Clock(NOW), listing_id="6908f6db00000000000000b2")
    assert (result.seen, result.created) == (1, 1)
    assert len(four) == 4


def test_the_ticks_count_what_no_webhook_told_and_finish_what_was_cut_off(account: RunningSandbox) -> None:
    make_accommodation(external_id=COPACABANA)
    today = timezone.localdate()
    book(account, checkInDate=str(today), checkOutDate=str(today + timedelta(days=2)))
    book(account, checkInDate=str(today + timedelta(days=30)), checkOutDate=str(today + timedelta(days=32)))
    tasks.sync_near_stays()
    assert Reservation.objects.count() == 1
    start, end = runs.ahead_window(today)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    SyncRun.objects.create(
        key=runs.AHEAD, start=start, end=end, full=True, started_at=an_hour_ago, lease_until=an_hour_ago
    )
    tasks.sync_near_stays()
    assert Reservation.objects.count() == 2
    assert SourceState.objects.get(name="stays").found_by_poll == 2
    tasks.sync_stays_ahead()
    assert SourceState.objects.get(name="stays").found_by_poll == 2
    assert set(SyncRun.objects.values_list("state", flat=True)) == {"done"}


@pytest.mark.parametrize("target", ["sync-reservations", "sync-ahead"])
def test_a_recurring_walk_tells_on_its_job_how_far_it_is(account: RunningSandbox, target: str) -> None:
    make_accommodation(external_id=COPACABANA)
    today = timezone.localdate()
    for nights in (1, 2):
        book(account, checkInDate=str(today), checkOutDate=str(today + timedelta(days=nights)))
    job = schedule("recurring.run", due_at=timezone.now(), now=timezone.now())
    Job.objects.update(state=Job.State.RUNNING, lease_until=timezone.now() + timedelta(hours=1))
    run = Run(job.pk, job.version, job.kind, job.subject, job.payload, 1, job.due_at)
    targets.get(target).function(targets.Call(None, run))
    job.refresh_from_db()
    assert (job.progress, job.progress_text) == (100, "2 / 2")


def test_a_stays_that_is_away_leaves_the_run_for_the_next_tick(settings: Settings, monkeypatch: Any) -> None:
    monkeypatch.setattr(tasks, "PATIENT", ())
    point_to(settings, "http://127.0.0.1:1")
    with pytest.raises(StaysError):
        tasks.sync_stays_ahead()
    run = SyncRun.objects.get()
    assert (run.state, run.full) == ("running", True)
    assert "could not be reached" in run.error
