"""Who gets in, how often, what happens once only, and that every refusal has the same shape."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import fakeredis
import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from redis.exceptions import ConnectionError as RedisIsAway

from locks import reconcile
from locks.models import Lock, Withdrawal
from reservations import services
from reservations.models import Reservation
from scheduler import clock, redis
from smartlock.api import idempotency, scopes, tokens
from smartlock.api.models import ApiToken, StoredAnswer
from smartlock.api.problems import REMEDIES
from smartlock.api.root import api as the_api
from smartlock.audit.models import AuditLog
from tests.api.conftest import Answer, Caller
from tests.builders import make_accommodation

Make = Callable[..., Caller]
NEW = {"check_in_date": "2101-03-05", "check_out_date": "2101-03-09"}


def is_problem(answer: Answer, status: int, kind: str = "") -> bool:
    body = answer.json
    return (
        answer.status == body["status"] == status
        and answer.headers["Content-Type"] == "application/problem+json"
        and all(body[name] for name in ("type", "title", "detail", "what_to_do"))
        and body["type"].endswith(f"#{kind}" if kind else "")
    )


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_only_a_hash_is_kept_of_a_token() -> None:
    token, text = tokens.create("ci", ["read"], now=clock.now(), actor="boss")
    assert len(text) > 40
    kept = json.dumps(list(ApiToken.objects.values()), default=str) + json.dumps(
        list(AuditLog.objects.values()), default=str
    )
    assert text not in kept
    assert text[12:] not in kept
    assert token.scopes == [scope for scope in scopes.ALL if scope.endswith(":read")]
    assert AuditLog.objects.get(action="token.created").actor == "boss"


@pytest.mark.django_db
@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Bearer", "Basic c2xrOg==", "Bearer slk_\u00e9"])
def test_nobody_gets_in_without_a_token(header: str) -> None:
    response = Client().get("/api/jobs", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["what_to_do"]


@pytest.mark.django_db
def test_a_token_ends_by_its_date_or_by_hand() -> None:
    now = clock.now()
    token, text = tokens.create("ci", ["read"], now=now, actor="boss", expires_at=now + timedelta(days=1))
    assert Caller(text).get("jobs").status == 200
    with time_machine.travel(now + timedelta(days=2), tick=False):
        assert is_problem(Caller(text).get("jobs"), 401)
    assert tokens.revoke(token, now=now, actor="boss")
    assert is_problem(Caller(text).get("jobs"), 401)
    assert not tokens.revoke(token, now=now, actor="boss")


@pytest.mark.django_db
def test_last_use_is_noted_once_a_minute(api: Caller) -> None:
    with time_machine.travel("2026-03-05T12:00:00Z", tick=False) as traveller:
        ApiToken.objects.update(last_used_at=None)
        api.get("queues")
        first = ApiToken.objects.get().last_used_at
        traveller.shift(30)
        api.get("queues")
        assert ApiToken.objects.get().last_used_at == first
        traveller.shift(31)
        api.get("queues")
        assert ApiToken.objects.get().last_used_at == clock.now()


@pytest.mark.django_db
def test_a_scope_lets_do_this_and_nothing_else(token_of: Make) -> None:
    reader, writer = token_of("jobs:read", name="reader"), token_of("jobs:write", name="writer")
    assert reader.get("jobs").status == 200
    assert is_problem(reader.post("jobs/cancel", {"filter": {"kind": "x"}}), 403)
    assert is_problem(reader.get("locks"), 403)
    assert writer.get("jobs").status == 200
    assert writer.post("jobs/cancel", {"filter": {"kind": "x"}}).status == 200


def test_every_call_but_health_asks_for_a_scope() -> None:
    document = the_api.get_openapi_schema()
    free = [path for path, calls in document["paths"].items() for call in calls.values() if not call.get("security")]
    assert free == ["/api/health"]


@pytest.mark.django_db
def test_who_is_signed_in_may_read_what_she_may_see(boss: Client, operator: Client, newcomer: Client) -> None:
    for client, seen in ((boss, 200), (operator, 200), (newcomer, 403)):
        assert Caller(client=client).get("jobs").status == seen


@pytest.mark.django_db
def test_who_may_not_see_contacts_does_not_see_them_here(stay: Reservation) -> None:
    user = User.objects.create_user("vera", password="a-long-password", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_reservation"))
    client = Client()
    client.force_login(user)
    caller = Caller(client=client)
    for shown in (caller.get(f"reservations/{stay.pk}").json, caller.get("reservations").json["items"][0]):
        assert shown["guest"] == {"name": "Ana Teste", "email": "", "phone": "", "language": "pt-BR"}
    assert caller.get("reservations?q=ana@example").json["total"] == 0
    user.user_permissions.add(Permission.objects.get(codename="view_contacts"))
    assert caller.get("reservations?q=ana@example").json["items"][0]["guest"]["email"] == "ana@example.com"


@pytest.mark.django_db
@pytest.mark.parametrize("checked", [True, False])
def test_a_cookie_changes_nothing(boss: Client, checked: bool) -> None:
    boss.handler.enforce_csrf_checks = checked
    answer = Caller(client=boss).post("queues/pins/pause")
    assert is_problem(answer, 401)
    assert "token" in answer.json["detail"]


@pytest.mark.django_db
def test_a_guest_account_without_staff_reads_nothing() -> None:
    client = Client()
    client.force_login(User.objects.create_user("was", password="a-long-password", is_superuser=True))
    assert is_problem(Caller(client=client).get("jobs"), 401)


def test_scopes_cover_every_resource() -> None:
    assert set(scopes.PERMISSIONS) == set(scopes.GROUPS["read"])
    with pytest.raises(ValueError, match="known: read, all"):
        scopes.expand(["jobs"])


# --- how it is refused ------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nowhere", None, 404), ("GET", "jobs/", None, 404), ("GET", "jobs/0", None, 422),
        ("GET", "jobs/99", None, 404), ("GET", "jobs/99999999999999999999999", None, 422),
        ("GET", "reservations/nobody", None, 404), ("DELETE", "jobs", None, 405), ("PUT", "openapi.json", None, 405),
        ("GET", "jobs?limit=0", None, 422), ("GET", "jobs?stat=failed", None, 422),
        ("GET", "jobs?state=lost", None, 422),
        ("GET", "jobs?due_from=yesterday", None, 422), ("GET", "jobs?kind=%00", None, 422),
        ("POST", "jobs/cancel", {"filter": {"state": "failed"}}, 422), ("POST", "jobs/cancel", [], 422),
    ],
)  # fmt: skip
def test_every_refusal_is_a_problem(api: Caller, method: str, path: str, body: Any, status: int) -> None:
    assert is_problem(api(method, path, body), status)


@pytest.mark.django_db
def test_a_body_must_be_json_and_small(api: Caller) -> None:
    def send(data: Any, content_type: str = "application/json") -> Answer:
        response = api.client.post(
            "/api/jobs/cancel", data, content_type=content_type, headers={"Authorization": f"Bearer {api.text}"}
        )
        return Answer(response.status_code, response.json(), response.headers)

    assert is_problem(send(b"{"), 400)
    assert is_problem(send(b"\xff"), 400)
    assert is_problem(send(b"a=1", "application/x-www-form-urlencoded"), 415)
    assert is_problem(send(b" " * 300_000), 413)


@pytest.mark.django_db
def test_405_names_the_methods(api: Caller) -> None:
    assert set(api("DELETE", "reservations").headers["Allow"].split(", ")) == {"GET", "POST"}


@pytest.mark.django_db
def test_what_nobody_foresaw_is_logged_and_not_told(
    api: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the password of the database")

    monkeypatch.setattr(services, "lookup", fail)
    answer = api.get("reservations/1")
    assert is_problem(answer, 500, "failed")
    assert "password" not in json.dumps(answer.json)


@pytest.mark.django_db
def test_a_refused_write_leaves_nothing_behind(api: Caller, stay: Reservation, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    before = AuditLog.objects.count()
    monkeypatch.setattr("smartlock.api.stays.detail", fail)
    assert api.post(f"reservations/{stay.pk}/withdraw").status == 500
    assert AuditLog.objects.count() == before
    assert not Withdrawal.objects.exists()


def test_each_problem_says_what_to_do() -> None:
    assert all(REMEDIES.values())


@pytest.mark.django_db
def test_nothing_is_cached(api: Caller) -> None:
    assert "no-store" in api.get("queues").headers["Cache-Control"]


# --- how often --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_token_that_asks_too_often_waits(token_of: Make, settings: LazySettings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    one, other = token_of("read", name="one"), token_of("read", name="other")
    with time_machine.travel("2026-03-05T12:00:20Z", tick=False) as traveller:
        assert one.get("queues").headers["RateLimit-Remaining"] == "1"
        assert one.get("queues").status == 200
        refused = one.get("queues")
        assert is_problem(refused, 429)
        assert refused.headers["Retry-After"] == "40"
        assert other.get("queues").status == 200
        traveller.shift(41)
        assert one.get("queues").status == 200


@pytest.mark.django_db
def test_without_redis_nobody_is_held_up(api: Caller, monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> None:
    class Away(fakeredis.FakeRedis):
        def pipeline(self, *_: Any, **__: Any) -> Any:
            raise RedisIsAway

    settings.API_REQUESTS_PER_MINUTE = 1
    monkeypatch.setattr(redis, "client", Away)
    assert [api.get("queues").status for _ in range(3)] == [200, 200, 200]


# --- once only --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_same_key_does_it_once_and_answers_alike(api: Caller) -> None:
    body = {**NEW, "accommodation": make_accommodation().pk}
    first, second = (api.post("reservations", body, Idempotency_Key="k1") for _ in range(2))
    assert first.status == second.status == 201
    assert first.json == second.json
    assert second.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Reservation.objects.count() == 1
    assert api.post("reservations", body, Idempotency_Key="k2").json["id"] != first.json["id"]


@pytest.mark.django_db
def test_a_key_belongs_to_one_request_and_one_token(token_of: Make) -> None:
    one, other = token_of("all", name="one"), token_of("all", name="other")
    body = {**NEW, "accommodation": make_accommodation().pk}
    assert one.post("reservations", body, Idempotency_Key="k").status == 201
    assert is_problem(one.post("reservations", {**body, "status": "reserved"}, Idempotency_Key="k"), 422, "key-reused")
    assert is_problem(one.post("queues/pins/pause", Idempotency_Key="k"), 422, "key-reused")
    assert other.post("reservations", body, Idempotency_Key="k").status == 201
    assert is_problem(one.post("reservations", body, Idempotency_Key=""), 422)


@pytest.mark.django_db
def test_a_refusal_is_not_kept(api: Caller) -> None:
    unit = make_accommodation()
    body = {**NEW, "accommodation": unit.pk, "check_out_date": "2101-03-01"}
    assert api.post("reservations", body, Idempotency_Key="k").status == 409
    assert api.post("reservations", {**NEW, "accommodation": unit.pk}, Idempotency_Key="k").status == 201


@pytest.mark.django_db
def test_an_answer_is_kept_for_a_day(api: Caller) -> None:
    with time_machine.travel("2026-03-05T12:00:00Z", tick=False) as traveller:
        api.post("queues/pins/pause", Idempotency_Key="k")
        traveller.shift(timedelta(hours=23))
        assert idempotency.forget(now=clock.now()) == 0
        assert "Idempotent-Replayed" in api.post("queues/pins/pause", Idempotency_Key="k").headers
        traveller.shift(timedelta(hours=1))
        assert "Idempotent-Replayed" not in api.post("queues/pins/pause", Idempotency_Key="k").headers
        traveller.shift(timedelta(hours=25))
        assert idempotency.forget(now=clock.now()) == 1


@pytest.mark.django_db
def test_whoever_died_over_it_blocks_the_key_for_minutes_only(api: Caller) -> None:
    with time_machine.travel("2026-03-05T12:00:00Z", tick=False) as traveller:
        api.post("queues/pins/pause", Idempotency_Key="k")
        StoredAnswer.objects.update(status=None, body=b"")
        assert is_problem(api.post("queues/pins/pause", Idempotency_Key="k"), 409, "key-in-use")
        traveller.shift(timedelta(minutes=6))
        assert api.post("queues/pins/pause", Idempotency_Key="k").status == 200


@pytest.mark.django_db(transaction=True)
def test_a_second_one_meanwhile_is_told_to_wait(
    api: Caller, stay: Reservation, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> reconcile.Difference:
        begun.set()
        assert go_on.wait(20)
        return reconcile.Difference()

    monkeypatch.setattr(reconcile, "inspect", slow)
    path = f"locks/{Lock.objects.get().pk}/reconcile"
    answers: list[Answer] = []

    def first() -> None:
        answers.append(Caller(api.text).post(path, {}, Idempotency_Key="k"))
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert begun.wait(20)
        assert is_problem(api.post(path, {}, Idempotency_Key="k"), 409, "key-in-use")
    finally:
        go_on.set()
        thread.join(20)
    assert answers[0].status == 200
    assert api.post(path, {}, Idempotency_Key="k").json == answers[0].json


@pytest.mark.parametrize("path", ["/api/jobs", "/api/nowhere", "/health/live", "/admin/"])
def test_a_host_that_is_not_ours_is_told_where_its_names_are_listed(path: str) -> None:
    response = Client(headers={"host": "<b>evil.example"}).get(path)
    assert response.status_code == 400
    assert b"ALLOWED_HOSTS" in response.content
    assert b"evil" not in response.content
    kind = "application/problem+json" if path.startswith("/api/") else "text/plain"
    assert response["Content-Type"] == kind
