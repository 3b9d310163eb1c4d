"""What each address gives, and that the numbers behind it are the services'."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from locks.models import Credential, Lock, LockIncident, LockReport
from locks.plan import GENERATE, REVOKE
from reservations.models import Reservation
from scheduler import clock
from scheduler.models import Job, Queue
from scheduler.services import schedule
from smartlock.admin import lock_state
from smartlock.audit.models import AuditLog
from tests.admin.house import PIN, SECRET, make_house
from tests.api.conftest import Caller
from tests.builders import make_accommodation, make_lock, make_reservation
from tests.commands.run import run
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
SHAPE = {
    "id", "kind", "state", "run_at", "attempt", "max_attempts", "priority", "delay_seconds", "last_error", "attempts",
}  # fmt: skip
LISTS = ["reservations", "jobs", "dead-letters", "credentials", "events", "locks", "accommodations", "staff-codes"]


def entered(api: Caller, **over: Any) -> Any:
    unit = make_accommodation()
    make_lock(unit)
    today = clock.now().date()
    body = {
        "accommodation": unit.pk, "check_in_date": str(today + timedelta(days=2)),
        "check_out_date": str(today + timedelta(days=5)), "guest": {"name": "Rita"},
    } | over  # fmt: skip
    return api.post("reservations", body)


@pytest.mark.parametrize("name", ["pk", "external_id", "short_id"])
def test_a_stay_by_any_of_its_names(api: Caller, stay: Reservation, name: str) -> None:
    found = api.get(f"reservations/{getattr(stay, name)}").json
    assert found["id"] == stay.pk
    assert found["timezone"] == "America/Sao_Paulo"
    assert found["check_in_at"].endswith("Z")
    assert found["check_in_local"].endswith("-03:00")
    assert (found["proven_doors"], found["exposure_minutes"]) == (1, 0)
    assert found["doors"][0]["credential"]["is_proven"]


@pytest.mark.parametrize("name", ["pk", "external_id", "short_id"])
def test_jobs_of_a_stay_have_exactly_the_promised_shape(api: Caller, stay: Reservation, name: str) -> None:
    jobs = api.get(f"reservations/{getattr(stay, name)}/jobs").json
    assert [set(job) for job in jobs] == [SHAPE] * len(jobs)
    tried = next(job for job in jobs if job["attempts"])
    assert set(tried["attempts"][0]) == {"started_at", "finished_at", "outcome", "error", "lateness_ms", "worker"}
    printed = run("job_status", stay.short_id, "--json").json
    assert [job["id"] for job in printed] == [job["id"] for job in jobs]


def test_a_stay_entered_by_hand_gets_its_jobs(api: Caller) -> None:
    made = entered(api)
    assert made.status == 201
    assert made.json["status"] == "booked"
    jobs = api.get(f"reservations/{made.json['id']}/jobs").json
    assert [job["kind"] for job in jobs] == [GENERATE, REVOKE]
    assert (
        AuditLog.objects.get(action="reservation.created", subject=f"reservation:{made.json['id']}").actor
        == "api:tests"
    )


def test_confirming_plans_both_jobs_and_may_be_repeated(api: Caller) -> None:
    made = entered(api, status="reserved").json
    assert api.get(f"reservations/{made['id']}/jobs").json == []
    for _ in range(2):
        answer = api.post(f"reservations/{made['id']}/confirm")
        assert answer.status == 200
        assert answer.json["reservation"]["status"] == "booked"
        assert [job["kind"] for job in answer.json["jobs"]] == [GENERATE, REVOKE]


def test_changing_moves_the_jobs_and_leaves_the_rest(api: Caller) -> None:
    made = entered(api).json
    before = api.get(f"reservations/{made['id']}/jobs").json[0]["run_at"]
    day = str(clock.now().date() + timedelta(days=3))
    answer = api.patch(f"reservations/{made['id']}", {"check_in_date": day, "guest": {"phone": "+55 11 9"}})
    assert answer.status == 200
    assert answer.json["guest"] == {"name": "Rita", "email": "", "phone": "+55 11 9", "language": ""}
    assert api.get(f"reservations/{made['id']}/jobs").json[0]["run_at"] != before


def test_cancelling_calls_its_jobs_off(api: Caller) -> None:
    made = entered(api).json
    assert api.post(f"reservations/{made['id']}/cancel").json["status"] == "canceled"
    assert {job["state"] for job in api.get(f"reservations/{made['id']}/jobs").json} == {"cancelled"}


def test_what_stays_says_is_changed_in_stays(api: Caller, stay: Reservation) -> None:
    for answer in (
        api.patch(f"reservations/{stay.pk}", {"status": "blocked"}),
        api.post(f"reservations/{stay.pk}/cancel"),
    ):
        assert answer.status == 409
        assert answer.json["type"].endswith("#not-ours")
        assert "withdraw" in answer.json["what_to_do"]


def test_times_are_agreed_on_for_one_stay(api: Caller) -> None:
    today = clock.now().date()
    stay = make_reservation(check_in_date=today + timedelta(days=2), check_out_date=today + timedelta(days=5))
    answer = api("PUT", f"reservations/{stay.pk}/times", {"check_in_time": "12:30", "check_out_time": None})
    assert answer.json["check_in_local"][10:16] == "T12:30"
    assert answer.json["agreed"]["by"] == "api:tests"
    impossible = {"check_in_time": None, "check_out_time": None}
    assert api("PUT", f"reservations/{stay.pk}/times", impossible).json["agreed"] is None


def test_an_impossible_stay_is_a_sentence_and_changes_nothing(api: Caller) -> None:
    answer = entered(api, check_out_date=str(clock.now().date()))
    assert answer.status == 409
    assert "is not after" in answer.json["detail"]
    assert not Reservation.objects.exists()


def test_pins_are_withdrawn_and_readmitted(api: Caller, stay: Reservation) -> None:
    answer = api.post(f"reservations/{stay.pk}/withdraw").json
    assert answer["withdrawn"]["actor"] == "api:tests"
    assert not answer["doors"][0]["credential"]["wish"]["wanted"]
    assert api.post(f"reservations/{stay.pk}/readmit").json["withdrawn"] is None


def test_stays_are_found(api: Caller, stay: Reservation) -> None:
    make_reservation(short_id="ZZ9Z", guest=stay_guest())
    total = {
        query: api.get(f"reservations?{query}").json["total"]
        for query in (
            "", "q=zeno", "q=ZZ9Z", f"accommodation={stay.accommodation_id}", "status=booked&status=contract",
            "status=canceled", "arriving_from=2026-03-06&arriving_to=2026-03-06", "source=manual",
        )
    }  # fmt: skip
    assert list(total.values()) == [2, 1, 1, 1, 2, 0, 1, 0]


def stay_guest() -> Any:
    from reservations.facts import Guest

    return Guest("Zeno Silva", "z@example.com")


def test_pages_tell_total_and_next(api: Caller) -> None:
    make_house(3, clock.now())
    first = api.get("reservations?limit=2").json
    assert (first["total"], len(first["items"]), first["next"]) == (3, 2, 2)
    last = api.get("reservations?limit=2&offset=2").json
    assert (len(last["items"]), last["next"]) == (1, None)
    assert {row["id"] for row in first["items"]}.isdisjoint(row["id"] for row in last["items"])


@pytest.mark.parametrize("what", LISTS)
def test_lists_cost_the_same_however_long(api: Caller, what: str) -> None:
    now = clock.now()
    make_house(2, now)
    Job.objects.filter(kind=REVOKE).update(state="failed", finished_at=now)
    api.get(what)
    counts = []
    for more in (0, 6):
        make_house(more, now)
        Job.objects.filter(kind=REVOKE).update(state="failed", finished_at=now)
        with CaptureQueriesContext(connection) as queries:
            answer = api.get(what)
        assert answer.json["total"] >= 2 + more
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_stay_costs_the_same_however_many_doors(api: Caller, stay: Reservation) -> None:
    api.get("queues")  # the first use of a token is noted
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            api.get(f"reservations/{stay.pk}")
        counts.append(len(queries))
        for _more in range(5):
            make_lock(stay.accommodation)
    assert counts[0] == counts[1]


def test_no_answer_holds_the_digits_or_a_signature(api: Caller, stay: Reservation) -> None:
    paths = [*LISTS, f"reservations/{stay.pk}", f"reservations/{stay.pk}/jobs"]
    paths += [f"{what}/{row['id']}" for what in LISTS if what not in ("reservations", "dead-letters")
              for row in api.get(what).json["items"]]  # fmt: skip
    paths += [f"locks/{lock.pk}/codes" for lock in Lock.objects.all()]
    for path in paths:
        answer = api.get(path)
        assert answer.status == 200, path
        text = json.dumps(answer.json)
        assert PIN not in text
        assert SECRET not in text
        for hidden in ("pin_hash", "pin_sealed", "fingerprint", "c2VjcmV0"):
            assert hidden not in text, path


def failed(kind: str = GENERATE) -> Job:
    now = clock.now()
    job = schedule(kind, due_at=now, now=now)
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, finished_at=now)
    return job


def test_one_job_is_steered(api: Caller, stay: Reservation) -> None:
    job = Job.objects.filter(state="scheduled").latest("due_at")
    later = (clock.now() + timedelta(days=9)).replace(microsecond=0)
    path = f"jobs/{job.pk}"
    moved = api.post(f"{path}/reschedule", {"at": later.isoformat()})
    assert moved.json["due_at"] == later.isoformat().replace("+00:00", "Z")
    assert api.post(f"{path}/reschedule", {"at": "2001-01-01T00:00:00Z"}).status in (409, 422)
    assert api.post(f"{path}/priority", {"priority": 1}).json["priority"] == 1
    assert api.post(f"{path}/priority", {"priority": 1}).status == 200
    assert api.post(f"{path}/run-now").json["delay_seconds"] == 0
    assert api.post(f"{path}/cancel").json["state"] == "cancelled"
    again = api.post(f"{path}/cancel")
    assert (again.status, "over" in again.json["detail"]) == (409, True)
    assert api.post(f"{path}/run-now").status == 409
    assert api.post(f"{path}/retry").json["state"] == "scheduled"


def test_many_jobs_are_counted_first_and_then_changed(api: Caller, stay: Reservation) -> None:
    body = {"filter": {"reservation": stay.short_id, "kind": REVOKE}}
    assert api.post("jobs/priority", {**body, "priority": 9, "dry_run": True}).json == {
        "dry_run": True, "matched": 1, "changed": 0
    }  # fmt: skip
    assert api.post("jobs/priority", {**body, "priority": 9}).json["changed"] == 1
    at = (clock.now() + timedelta(days=40)).isoformat()
    assert api.post("jobs/reschedule", {**body, "at": at}).json["changed"] == 1
    assert api.post("jobs/run-now", body).json["changed"] == 1
    assert api.post("jobs/cancel", body).json["changed"] == 1
    assert api.post("jobs/cancel", body).json["matched"] == 0


def test_many_jobs_means_saying_which(api: Caller) -> None:
    bodies: list[Any] = [{"filter": {}}, {}, {"filter": {"kinds": "x"}}]
    for body in bodies:
        assert api.post("jobs/cancel", body).status == 422


def test_the_shelf_is_tried_again_and_cleared(api: Caller) -> None:
    one, other = failed(), failed(REVOKE)
    assert {row["id"] for row in api.get("dead-letters").json["items"]} == {one.pk, other.pk}
    answer = api.post("dead-letters/retry", {"filter": {"ids": [one.pk]}, "spread_minutes": 5}).json
    assert (answer["matched"], answer["changed"]) == (1, 1)
    assert api.post("dead-letters/clear", {"filter": {"kind": REVOKE}, "dry_run": True}).json["matched"] == 1
    assert api.post("dead-letters/clear", {"filter": {"kind": REVOKE}}).json["changed"] == 1
    assert api.get("dead-letters").json["total"] == 0


def test_jobs_of_a_stay_are_called_off(api: Caller, stay: Reservation) -> None:
    live = Job.objects.filter(subject=stay.subject, state__in=Job.LIVE).count()
    assert api.post(f"reservations/{stay.pk}/jobs/cancel", {"dry_run": True}).json["matched"] == live
    assert api.post(f"reservations/{stay.pk}/jobs/cancel", {}).json["changed"] == live


def test_a_queue_is_paused_resumed_and_changed(api: Caller) -> None:
    assert api.post("queues/pins/pause").json["paused_by"] == "api:tests"
    assert api.post("queues/pins/pause").status == 200
    assert api.post("queues/pins/resume").json["is_paused"] is False
    assert api.patch("queues/messages", {"rate": None, "concurrency": 3}).json["concurrency"] == 3
    assert Queue.objects.get(name="messages").rate is None
    answer = api.post("queues/pnis/pause")
    assert (answer.status, "messages, pins" in answer.json["what_to_do"]) == (404, True)


def test_events_are_replayed_one_or_many(api: Caller, stay: Reservation) -> None:
    event = WebhookEvent.objects.get()
    shown = api.get(f"events/{event.pk}").json
    assert shown["body"]["payload"] == {"_id": "1"}
    assert shown["headers"]["user-agent"] == "got"
    assert api.post(f"events/{event.pk}/replay").json["state"] == "received"
    body = {"filter": {"received_from": "2100-01-01T00:00:00Z"}}
    assert api.post("events/replay", body).json["matched"] == 0
    assert api.post("events/replay", {"filter": {"state": ["received"]}, "dry_run": True}).json["matched"] == 1
    assert api.post("events/replay", {"filter": {"ids": [event.pk]}}).json["changed"] == 1
    assert AuditLog.objects.filter(action="event.replayed", actor="api:tests").count() == 2


def test_a_lock_that_cannot_be_read_is_told_with_a_remedy(api: Caller, stay: Reservation) -> None:
    lock = Lock.objects.get()
    answer = api.post(f"locks/{lock.pk}/reconcile", {"apply": False})
    assert answer.status == 503
    assert answer.json["what_to_do"]


def test_what_a_lock_suffers_from_is_explained(api: Caller, stay: Reservation) -> None:
    lock, now = Lock.objects.get(), clock.now()
    assert api.get(f"locks/{lock.pk}").json["incidents"] == []
    LockIncident.objects.create(lock=lock, kind="clock", began_at=now, last_at=now, off_minutes=-180)
    LockIncident.objects.create(lock=lock, kind="silent", began_at=now, last_at=now, ended_at=now)
    [told] = api.get(f"locks/{lock.pk}").json["incidents"]
    assert (told["code"], told["level"], told["told_at"]) == ("clock", "error", None)
    assert "3 h behind" in told["text"]
    assert "sync its time" in told["remedy"]


def test_a_change_on_its_way_to_the_lock_says_from_when_to_when(api: Caller, stay: Reservation) -> None:
    pin = Credential.objects.get()
    [door] = api.get(f"reservations/{stay.pk}").json["doors"]
    assert door["credential"]["pending_change"] is None
    later = pin.ends_at + timedelta(days=1)
    Credential.objects.update(ends_at=later)
    shown = [
        api.get(f"reservations/{stay.pk}").json["doors"][0]["credential"],
        api.get(f"credentials/{pin.pk}").json,
        api.get(f"locks/{pin.lock_id}/codes").json["items"][0],
    ]
    for one in shown:
        change = one["pending_change"]
        assert [datetime.fromisoformat(change[side]["ends_at"]) for side in ("before", "after")] == [pin.ends_at, later]
        assert change["before"]["starts_at"] == change["after"]["starts_at"]
        assert (one["is_proven"], [trouble["code"] for trouble in one["troubles"]]) == (False, ["change_pending"])


def test_codes_on_a_lock(api: Caller, stay: Reservation) -> None:
    lock = Lock.objects.get()
    LockReport.objects.create(lock=lock, tried_at=clock.now(), held=3, foreign=2)
    told = api.get(f"locks/{lock.pk}").json
    assert (told["codes"], told["capacity"], told["remaining"]) == (1, 10, 7), "two of its places are taken by others"
    assert "3 of 10, 7 free" in lock_state.capacity(Lock.objects.with_codes().get()).text
    assert [code["reservation_id"] for code in api.get(f"locks/{lock.pk}/codes").json["items"]] == [stay.pk]
    assert api.get("credentials?state=on_lock").json["total"] == Credential.objects.count()


def test_a_unit_is_changed_and_its_stays_follow(api: Caller) -> None:
    today = clock.now().date()
    stay = make_reservation(check_in_date=today + timedelta(days=2), check_out_date=today + timedelta(days=5))
    unit = stay.accommodation
    assert api.patch(f"accommodations/{unit.pk}", {"timezone": "America/Manaus"}).json["timezone"] == "America/Manaus"
    assert api.get(f"reservations/{stay.pk}").json["check_in_local"].endswith("-04:00")
    assert api.patch(f"accommodations/{unit.pk}", {"timezone": "Mars/Olympus"}).status == 409


def test_health_is_public_and_names_no_secret(db: None) -> None:
    answer = Caller().get("health")
    assert answer.status == 200
    assert {queue["name"] for queue in answer.json["queues"]} >= {"pins", "messages"}
