"""What is accepted: committed, then exactly 200, and a job only for what may concern a door."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client
from pytest_django import Settings

from scheduler.models import Job
from tests.webhooks.deliveries import SIGNED_URL, TOKEN, URL, body, knock, seconds, signature, stay
from webhooks import inbox
from webhooks.models import Refusal, WebhookEvent

pytestmark = pytest.mark.django_db
GOOD = body("reservation.created", stay())


def only_event() -> WebhookEvent:
    return WebhookEvent.objects.get()


def test_a_delivery_is_stored_byte_for_byte_with_its_job() -> None:
    content = b'  {"action":"reservation.created", "_dt":"2024-07-03T15:07:02.577Z",\n"payload":{"_id":"E1","n":1e2}}'
    answer = knock(content)
    event = only_event()
    assert (answer.status_code, answer.json()) == (200, {"status": "stored", "event": event.pk})
    assert bytes(event.body) == content
    assert event.occurred_at == datetime(2024, 7, 3, 15, 7, 2, 577000, tzinfo=UTC)
    assert (event.action, event.external_id, event.state) == ("reservation.created", "E1", "received")
    assert (event.verification, event.remote_address, event.deliveries) == ("unverifiable", "127.0.0.1", 1)
    asked = Job.objects.get()
    assert (asked.kind, asked.payload) == ("webhooks.sort_inbox", {})
    assert seconds(2) <= asked.due_at - event.received_at <= seconds(3)
    inbox.sort(now=asked.due_at)
    job = Job.objects.get(kind="webhooks.process_event")
    assert (job.subject, job.payload) == ("stays:E1", {"event": event.pk})


@pytest.mark.parametrize(
    ("url", "signed", "verification"),
    [(URL, False, "unverifiable"), (URL, True, "verified"), (URL.rstrip("/"), True, "verified"),
     (SIGNED_URL, True, "verified"), (SIGNED_URL.rstrip("/"), True, "verified")],
)  # fmt: skip
def test_each_of_the_ways_in_is_200(url: str, signed: bool, verification: str) -> None:
    assert knock(GOOD, url=url, signed=signed).status_code == 200
    assert only_event().verification == verification


def test_any_of_the_tokens_and_secrets_opens_while_they_are_rotated(settings: Settings) -> None:
    settings.STAYS_WEBHOOK_TOKENS = ["the-new-token-of-ours", TOKEN]
    settings.STAYS_WEBHOOK_SECRETS = ["the-new-secret-of-ours", "the-old-secret-of-ours"]
    assert knock(GOOD, headers={"x-stays-signature": signature(GOOD, "the-old-secret-of-ours")}).status_code == 200
    new = "/webhooks/stays/the-new-token-of-ours/"
    assert (
        knock(GOOD, url=new, headers={"x-stays-signature": signature(GOOD, "the-new-secret-of-ours")}).status_code
        == 200
    )
    assert only_event().verification == "verified"


@pytest.mark.parametrize("headers", [{}, {"x-stays-client-id": "stays-client"}, {"x-stays-signature": "A" * 684}])
def test_what_stays_itself_sends_is_taken_with_the_token(headers: dict[str, str]) -> None:
    assert knock(GOOD, headers=headers).status_code == 200
    assert only_event().verification == "unverifiable"


def test_a_body_of_exactly_256_kib_is_taken() -> None:
    content = GOOD.ljust(256 * 1024)
    assert knock(content).status_code == 200
    assert len(only_event().body) == 256 * 1024


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_the_content_type_does_not_matter(kind: str) -> None:
    assert Client().post(URL, data=GOOD, content_type=kind).status_code == 200
    assert bytes(only_event().body) == GOOD


def test_a_session_or_a_csrf_token_is_not_asked_for() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(URL, data=GOOD, content_type="application/json").status_code == 200


def test_a_second_delivery_is_200_and_counted_and_makes_no_second_job() -> None:
    knock(GOOD)
    again = knock(GOOD)
    assert (again.status_code, again.json()["status"]) == (200, "duplicate")
    assert only_event().deliveries == 2
    assert Job.objects.count() == 1


def test_a_copy_that_brings_the_proof_takes_the_place_of_one_that_did_not() -> None:
    forged = body("reservation.created", stay(type="contract"))
    knock(forged)
    assert knock(GOOD, signed=True).json()["status"] == "duplicate"
    event = only_event()
    assert (event.verification, bytes(event.body), event.deliveries) == ("verified", GOOD, 2)
    knock(forged)
    event.refresh_from_db()
    assert (event.verification, bytes(event.body), event.deliveries) == ("verified", GOOD, 3)


@pytest.mark.parametrize(
    "action",
    ["reservation.payments.created", "reservation.payments.modified", "calendar.rates.modified", "message.added",
     "client.created", "listing.modified", "promocode.created"],
)  # fmt: skip
def test_what_is_of_no_concern_to_doors_is_kept_and_ignored(action: str) -> None:
    payload: object = [stay()] if action.startswith("calendar") else stay()
    assert knock(body(action, payload)).status_code == 200
    assert (only_event().state, only_event().action) == ("ignored", action)
    assert not Job.objects.exists()


def test_an_action_about_a_stay_that_nobody_knows_is_parked_with_the_reason() -> None:
    assert knock(body("reservation.teleported", stay())).status_code == 200
    event = only_event()
    assert event.state == "parked"
    assert "reservation.teleported is not an action we know" in event.reason
    assert not Job.objects.exists()


def test_headers_are_kept_without_what_is_secret() -> None:
    secret = {
        "authorization": "Basic c2VjcmV0", "cookie": "sessionid=secret", "proxy-authorization": "secret",
        "x-original-uri": URL, "x-original-url": URL, "x-forwarded-uri": URL,
    }  # fmt: skip
    knock(GOOD, signed=True, headers={"x-stays-name": "acme", "user-agent": "got", **secret})
    headers = only_event().headers
    assert headers["x-stays-signature"] == signature(GOOD)
    assert (headers["x-stays-name"], headers["user-agent"]) == ("acme", "got")
    assert not set(secret) & set(headers)
    assert TOKEN not in str(headers)


@pytest.mark.parametrize(
    ("peer", "kept"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), ("", None),
     ("unix:", None), ("/run/web.sock", None)],
)  # fmt: skip
def test_the_peers_address_is_kept_if_it_is_one(peer: str, kept: str | None) -> None:
    assert Client(REMOTE_ADDR=peer).post(URL, data=GOOD, content_type="application/json").status_code == 200
    assert only_event().remote_address == kept


@pytest.mark.parametrize(
    "content",
    [
        body("reservation.created", stay(_id="E1\x00", id="x\x00")),
        body("reservation.created", stay(_id="\ud800", id="\udfff")),
        body("reservation.created", stay(_id=10**4000, id=[1])),
        body("reservation.created", stay(_id="x" * 64)),
        body("reservation.created", stay(_id="x" * 70_000, id={"$ne": None})),
        body("reservation.created", stay(), at="0001-01-01T00:00:00+14:00"),
        body("reservation.created", stay(), at="\x00\ud800"),
        b'{"action":"reservation.created","_dt":{"a":[[[]]]},"payload":{"_id":"E1"}}',
        b'\xef\xbb\xbf{"action":"reservation.created","payload":{"_id":"E1"}}',
        '{"action":"reservation.created","payload":{"_id":"E1"}}'.encode("utf-16"),
        b'{"action":"reservation.created","payload":{"_id":NaN,"id":1e999}}',
        b'{"action":"reservation.created","payload":{"_id":"E1","x":' + b"[" * 500 + b"]" * 500 + b"}}",
    ],
    ids=["nul", "surrogate", "huge-number", "64-letters", "long-id", "year-1", "odd-time", "time-object", "bom",
         "utf-16", "nan", "deep"],
)  # fmt: skip
def test_oddities_that_are_json_are_stored_like_anything_else(content: bytes) -> None:
    assert knock(content).status_code == 200
    assert bytes(only_event().body) == content
    assert not Refusal.objects.exists()
    assert Job.objects.count() == 1
