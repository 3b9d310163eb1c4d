"""Three questions, three codes: what probes and monitors are told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from scheduler import clock, queues, redis
from scheduler.models import Heartbeat, Job
from scheduler.services import schedule
from smartlock import health

LIVE, READY, QUEUES = reverse("health-live"), reverse("health-ready"), reverse("health-queues")


@pytest.fixture
def redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "is_up", lambda: False)


@pytest.fixture
def dispatcher_ticks(db: None) -> None:
    Heartbeat.objects.create(name="dispatcher", beat_at=clock.now())


@pytest.mark.parametrize("path", ["/health/live", "/health/live/"])
def test_live_touches_nothing(client: Client, path: str) -> None:
    # No database mark: a query would fail this test.
    response = client.get(path)
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/ready", "/health/ready/"])
def test_ready_names_each_check(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"database": True, "migrations": True, "redis": True}}


@pytest.mark.django_db
def test_not_ready_without_redis(client: Client, redis_is_away: None) -> None:
    response = client.get(READY)
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": True, "migrations": True, "redis": False}


@pytest.mark.django_db
def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> bool:
        raise DatabaseError("away")

    monkeypatch.setattr(health, "database_answers", fail)
    response = client.get(READY)
    assert response.status_code == 503
    assert response.json()["checks"]["database"] is False
    assert "away" not in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/health/queues", "/health/queues/"])
def test_healthy_queues(client: Client, dispatcher_ticks: None, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    report = response.json()
    assert report["status"] == "healthy"
    assert report["redis"] == {"connected": True}
    assert {queue["name"] for queue in report["queues"]} >= {"pins", "messages", "sync", "default"}
    assert set(report["queues"][0]["stats"]) == {"waiting", "active", "completed", "failed", "delayed", "paused"}
    assert report["summary"] == {"total": len(report["queues"]), "healthy": len(report["queues"]), "unhealthy": 0}


@pytest.mark.django_db
def test_a_failed_job_degrades(client: Client, dispatcher_ticks: None) -> None:
    now = clock.now()
    job = schedule("locks.generate_pin", due_at=now, now=now)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=now)
    response = client.get(QUEUES)
    assert response.status_code == 207
    assert response.json()["status"] == "degraded"
    pins = next(queue for queue in response.json()["queues"] if queue["name"] == "pins")
    assert pins["healthy"] is False
    assert pins["stats"]["failed"] == 1


@pytest.mark.django_db
def test_a_paused_queue_with_due_work_degrades_and_names_nobody(client: Client, dispatcher_ticks: None) -> None:
    now = clock.now()
    queues.pause("pins", now=now, actor="olga")
    assert client.get(QUEUES).status_code == 200
    schedule("locks.generate_pin", due_at=now, now=now)
    response = client.get(QUEUES)
    assert response.status_code == 207
    pins = next(queue for queue in response.json()["queues"] if queue["name"] == "pins")
    assert pins["problem"] == f"The queue pins is paused since {now:%Y-%m-%d %H:%M} UTC, and 1 due job waits in it."
    assert "olga" not in response.content.decode()


@pytest.mark.django_db
def test_unhealthy_without_redis(client: Client, dispatcher_ticks: None, redis_is_away: None) -> None:
    response = client.get(QUEUES)
    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"


@pytest.mark.django_db
def test_unhealthy_when_the_dispatcher_is_silent(client: Client) -> None:
    Heartbeat.objects.create(name="dispatcher", beat_at=clock.now() - timedelta(minutes=5))
    assert client.get(QUEUES).status_code == 503


@pytest.mark.django_db
def test_unhealthy_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError("password of smartlock")

    monkeypatch.setattr(health, "queue_health", fail)
    response = client.get(QUEUES)
    assert response.status_code == 503
    assert response.json()["queues"] == []
    assert b"password" not in response.content


def test_probes_only_read(client: Client) -> None:
    assert client.post(LIVE).status_code == 405


@pytest.mark.parametrize("path", [LIVE, READY, QUEUES, reverse("metrics")])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_another_method_is_told_which_ones_there_are(path: str, method: str) -> None:
    response = getattr(Client(enforce_csrf_checks=True), method)(path)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
    assert response.content == b"This address is only read: use GET or HEAD.\n"
