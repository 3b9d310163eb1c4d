"""What Prometheus reads: right from the rows, the same in every process, and never a counter that falls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from locks.models import Credential
from scheduler import clock, redis, services, totals
from scheduler.models import Heartbeat, Job, JobAttempt, Queue
from smartlock import metrics
from tests.builders import make_lock, make_reservation
from webhooks.models import WebhookEvent
from webhooks.services import refuse

pytestmark = pytest.mark.django_db
URL = reverse("metrics")
PIN = {"queue": "pins", "kind": "locks.generate_pin"}
LONG_AGO = timedelta(days=60)
Scrape = Callable[[], dict[tuple[str, frozenset[tuple[str, str]]], float]]


def parse(parser: Callable[[str], Iterable[Metric]], response: Any) -> Iterable[Metric]:
    return parser(response.content.decode())


@pytest.fixture
def scrape(client: Client) -> Scrape:
    def read() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        response = client.get(URL)
        assert response.status_code == 200
        families = parse(plain, response)
        return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}

    return read


def value(samples: dict[Any, float], name: str, **labels: str) -> float:
    return samples[f"smartlock_{name}", frozenset(labels.items())]


def job(state: str = "scheduled", kind: str = "locks.generate_pin", due: timedelta = timedelta(hours=1)) -> Job:
    now = clock.now()
    made = services.schedule(kind, due_at=now, now=now)
    over = state not in Job.LIVE
    Job.objects.filter(pk=made.pk).update(
        state=state, run_at=now + due, finished_at=now + due if over else None,
        lease_until=now + due if state == "running" else None,
    )  # fmt: skip
    return made


def attempt(
    outcome: str = "succeeded", *, state: str = "succeeded", late_ms: int = 3, took: timedelta = timedelta(seconds=2),
    kind: str = "locks.generate_pin",
) -> JobAttempt:  # fmt: skip
    started = clock.now() - LONG_AGO
    made = job(state, kind=kind, due=-LONG_AGO)
    return JobAttempt.objects.create(
        job=made, number=1, started_at=started, finished_at=started + took, outcome=outcome, lateness_ms=late_ms
    )


def test_jobs_are_counted_by_queue_kind_and_state(scrape: Scrape) -> None:
    for state in ("scheduled", "scheduled", "running", "failed", "failed", "failed", "succeeded", "cancelled"):
        job(state)
    samples = scrape()
    counts = [value(samples, "jobs", **PIN, state=state) for state in ("pending", "running", "failed")]
    assert counts == [2, 1, 3]
    assert value(samples, "dead_letters", kind="locks.generate_pin") == 3
    assert value(samples, "dead_letters", kind="locks.revoke_pin") == 0


def test_overdue_jobs_and_paused_queues(scrape: Scrape) -> None:
    job(due=timedelta(minutes=-2))
    job(due=timedelta(seconds=-2))
    Queue.objects.filter(name="messages").update(paused_at=clock.now())
    samples = scrape()
    assert value(samples, "jobs_overdue", queue="pins") == 1
    assert value(samples, "jobs_overdue", queue="messages") == 0
    assert [value(samples, "queue_paused", queue=name) for name in ("pins", "messages")] == [0, 1]


def test_attempts_lateness_and_duration(scrape: Scrape) -> None:
    attempt(late_ms=4)
    attempt("retry", state="scheduled", late_ms=300, took=timedelta(hours=3))
    attempt("lost", state="failed", late_ms=5_000)
    samples, kind = scrape(), "locks.generate_pin"
    outcomes = ("succeeded", "retry", "lost", "failed")
    assert [value(samples, "job_attempts_total", kind=kind, outcome=name) for name in outcomes] == [1, 1, 1, 0]
    late = [value(samples, "job_lateness_seconds_bucket", kind=kind, le=le) for le in ("0.005", "0.5", "5.0", "+Inf")]
    assert late == [1, 2, 3, 3]
    assert value(samples, "job_lateness_seconds_sum", kind=kind) == pytest.approx(5.304)
    took = [value(samples, "job_duration_seconds_bucket", kind=kind, le=le) for le in ("1.0", "2.5", "3600.0", "+Inf")]
    assert took == [0, 1, 1, 2]
    assert value(samples, "job_duration_seconds_count", kind=kind) == 2


def test_no_counter_falls_when_jobs_are_folded_pruned_and_cleared(scrape: Scrape) -> None:
    def counters() -> dict[Any, float]:
        return {key: count for key, count in scrape().items() if key[0].startswith("smartlock_job_")}

    attempt()
    attempt("failed", state="failed", late_ms=90_000)
    before = counters()
    changes: list[Callable[[], int]] = [
        lambda: services.clear_failed(Job.objects.all()),
        lambda: totals.fold(now=clock.now()),
        lambda: services.prune(now=clock.now()),
    ]
    for change in changes:
        assert change() == 1
        assert counters() == before
    assert not Job.objects.exists()


def test_two_scrapers_get_the_same_numbers(client: Client) -> None:
    job()
    attempt()
    now = clock.now()
    assert metrics.render(now=now) == metrics.render(now=now)


def test_the_dispatchers_heartbeat(scrape: Scrape) -> None:
    assert value(scrape(), "dispatcher_heartbeat_age_seconds") == float("inf")
    Heartbeat.objects.create(name="dispatcher", beat_at=clock.now() - timedelta(seconds=40))
    assert 40 <= value(scrape(), "dispatcher_heartbeat_age_seconds") < 60


def test_webhook_events_and_refusals(scrape: Scrape) -> None:
    assert value(scrape(), "oldest_unprocessed_event_age_seconds") == 0
    for number, state in enumerate(["received", "parked", "received"]):
        WebhookEvent.objects.create(
            action="reservation.created", dedupe_key=str(number), body=b"", state=state, verification="verified",
            received_at=clock.now() - timedelta(seconds=100 * number),
        )  # fmt: skip
    for day in range(3):
        refuse("bad_signature", now=timezone.now() + timedelta(days=day))
    samples = scrape()
    assert [value(samples, "webhook_events", state=s) for s in ("received", "parked", "processed")] == [2, 1, 0]
    assert 200 <= value(samples, "oldest_unprocessed_event_age_seconds") < 220
    assert value(samples, "webhook_refusals_total", reason="bad_signature") == 3


def test_pins_that_may_still_be_on_a_lock_after_their_end(scrape: Scrape) -> None:
    now = clock.now()

    def credential(number: int, hours: int, **over: Any) -> None:
        Credential.objects.create(
            reservation=make_reservation(), lock=make_lock(), name=f"n{number}", starts_at=now - timedelta(days=9),
            ends_at=now + timedelta(hours=hours), **over,
        )  # fmt: skip

    credential(1, -1, state="on_lock")
    credential(2, -1, state="failed")
    credential(3, +1, state="on_lock")
    credential(4, +1, state="on_lock", wanted=False, unwanted_at=now)
    credential(5, -1, state="absent")
    credential(6, -1, state="absent", removed_at=now)
    samples = scrape()
    assert value(samples, "pins_exposed") == 3
    assert [value(samples, "credentials", state=state) for state in ("on_lock", "absent", "unknown")] == [3, 2, 0]


def test_what_the_code_does_not_know_is_other(scrape: Scrape) -> None:
    for number in range(3):
        strange = attempt(state="failed")
        Job.objects.filter(pk=strange.job_id).update(kind=f"old.kind{number}", queue=f"old{number}")
    samples = scrape()
    assert value(samples, "jobs", queue="other", kind="other", state="failed") == 3
    assert value(samples, "job_attempts_total", kind="other", outcome="succeeded") == 3
    assert not [labels for _, labels in samples if "old" in str(labels)]


def test_redis_and_build(scrape: Scrape, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = scrape()
    assert value(samples, "redis_up") == 1
    [build] = [dict(labels) for name, labels in samples if name == "smartlock_build_info"]
    assert set(build) == {"version", "python"}
    assert build["version"] != "unknown"
    monkeypatch.setattr(redis, "is_up", lambda: False)
    assert value(scrape(), "redis_up") == 0


def test_both_formats_parse(client: Client) -> None:
    attempt()
    wanted = "application/openmetrics-text; version=1.0.0"
    response = client.get(URL, headers={"accept": wanted})
    assert response["Content-Type"].startswith(wanted)
    names = {family.name for family in parse(openmetrics, response)}
    assert names == {family.name.removesuffix("_info") for family in parse(plain, client.get(URL))}
    assert client.get(URL)["Content-Type"].startswith("text/plain; version=0.0.4")


def test_the_number_of_queries_does_not_grow_with_the_rows(client: Client) -> None:
    asked = []
    for rounds in range(2):
        for kind in ("locks.generate_pin", "locks.revoke_pin", "notifications.tell_guest")[: 1 + 2 * rounds]:
            job(kind=kind)
            attempt(kind=kind)
        with CaptureQueriesContext(connection) as queries:
            client.get(URL)
        asked.append(len(queries))
    assert asked[0] == asked[1] <= 20


def test_a_token_closes_the_door(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-token-for-prometheus"
    for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer ä"}, {"authorization": "Bearer "}):
        response = client.get(URL, headers=header)
        assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
        assert b"smartlock_" not in response.content
    assert client.get(URL, headers={"authorization": "Bearer a-token-for-prometheus"}).status_code == 200


def test_without_the_database_the_scrape_fails(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise DatabaseError("password of smartlock")

    monkeypatch.setattr(totals, "read", away)
    response = client.get(URL)
    assert response.status_code == 503
    assert b"password" not in response.content


def test_metrics_are_only_read(client: Client) -> None:
    assert client.post(URL).status_code == 405
    assert client.get(f"{URL}/").status_code == 200
