"""Standard Webhooks 1.0 as a source: the standard's own vector, rotation, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from pytest_django import Settings

from reservations.models import Reservation
from tests.builders import NOW, make_accommodation
from tests.webhooks.deliveries import body, knock, process_all, refusals, stay
from webhooks.models import WebhookEvent
from webhooks.verification import Verdict, check_standard

# From the standard's own test-suite.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}  # fmt: skip
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_AT = datetime.fromtimestamp(1614265330, UTC)
OTHER = "whsec_" + base64.b64encode(b"another secret of 24 byte").decode()
TOKEN = "a-standard-token-for-tests"
URL = f"/webhooks/standard/{TOKEN}/"
GOOD = body("reservation.created", stay())


@pytest.fixture(autouse=True)
def configured(settings: Settings) -> None:
    settings.STANDARD_WEBHOOKS_SECRETS = [SECRET]
    settings.STANDARD_WEBHOOKS_TOKENS = [TOKEN]


def signed(content: bytes, *, secret: str = SECRET, at: datetime = NOW, name: str = "msg_1") -> dict[str, str]:
    """What the standard asks of a sender, written down once more by hand."""
    stamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + content, hashlib.sha256).digest()
    return {
        "webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"
    }  # fmt: skip


def verdict(content: bytes = VECTOR_BODY, at: datetime = VECTOR_AT, *secrets: str, **over: Any) -> Verdict:
    headers = {**VECTOR, **{name.replace("_", "-"): value for name, value in over.items()}}
    with time_machine.travel(at, tick=False):
        return check_standard(headers, content, secrets or [SECRET])


def test_the_vector_of_the_standard() -> None:
    assert verdict() == Verdict.VERIFIED
    assert verdict(VECTOR_BODY, VECTOR_AT, OTHER, SECRET) == Verdict.VERIFIED
    assert verdict(VECTOR_BODY, VECTOR_AT, OTHER) == Verdict.BAD


def test_one_good_signature_of_several_is_enough() -> None:
    both = f"v1,{base64.b64encode(b'x' * 32).decode()} v1a,abc {VECTOR['webhook-signature']}"
    assert verdict(webhook_signature=both) == Verdict.VERIFIED


@pytest.mark.parametrize("seconds", [-299, 299])
def test_within_five_minutes_it_counts(seconds: int) -> None:
    assert verdict(VECTOR_BODY, datetime.fromtimestamp(1614265330 + seconds, UTC)) == Verdict.VERIFIED


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_outside_five_minutes_it_does_not(seconds: int) -> None:
    assert verdict(VECTOR_BODY, datetime.fromtimestamp(1614265330 + seconds, UTC)) == Verdict.BAD


@pytest.mark.parametrize(
    "over",
    [
        {"webhook_id": "msg_other"}, {"webhook_id": ""}, {"webhook_timestamp": "1614265331"},
        {"webhook_timestamp": "soon"}, {"webhook_timestamp": ""}, {"webhook_timestamp": "1e400"},
        {"webhook_signature": ""}, {"webhook_signature": "v1"}, {"webhook_signature": "v1,é"},
        {"webhook_signature": "v1,a,b"}, {"webhook_signature": "v1,====="}, {"webhook_signature": " "},
        {"webhook_signature": VECTOR["webhook-signature"].replace("v1,", "v1a,")},
    ],
)  # fmt: skip
def test_headers_that_do_not_fit_are_bad(over: dict[str, Any]) -> None:
    assert verdict(**over) == Verdict.BAD


@pytest.mark.parametrize("content", [VECTOR_BODY + b" ", b"", b"\xff\xfe", VECTOR_BODY.replace(b"2", b"3")])
def test_other_bytes_are_bad(content: bytes) -> None:
    assert verdict(content) == Verdict.BAD


def at_the_door(headers: dict[str, str], url: str = URL, content: bytes = GOOD) -> Any:
    with time_machine.travel(NOW, tick=False):
        return knock(content, url=url, headers=headers)


@pytest.mark.django_db
@pytest.mark.parametrize("url", [URL, URL.rstrip("/"), "/webhooks/standard/"])
def test_a_delivery_is_stored_and_its_verified_body_is_the_truth_without_an_api(url: str) -> None:
    make_accommodation(external_id="L1")
    assert at_the_door(signed(GOOD), url).status_code == 200
    event = WebhookEvent.objects.get()
    assert (event.source, event.verification, bytes(event.body)) == ("standard", "verified", GOOD)
    process_all(NOW)
    assert Reservation.objects.get().status == "booked"


@pytest.mark.django_db
def test_the_id_of_the_message_makes_it_the_same_event() -> None:
    assert at_the_door(signed(GOOD)).json()["status"] == "stored"
    assert (
        at_the_door(signed(GOOD, at=datetime.fromtimestamp(NOW.timestamp() + 60, UTC))).json()["status"] == "duplicate"
    )
    assert at_the_door(signed(GOOD, name="msg_2")).json()["status"] == "stored"
    assert sorted(WebhookEvent.objects.values_list("deliveries", flat=True)) == [1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "headers", "status", "reason"),
    [
        (URL, {}, 401, "bad_signature"), ("/webhooks/standard/", {}, 401, "bad_signature"),
        (URL, signed(GOOD, secret=OTHER), 401, "bad_signature"), (URL, signed(b"{}"), 401, "bad_signature"),
        ("/webhooks/standard/another-token-of-nobody/", signed(GOOD), 404, "unknown_token"),
    ],
)  # fmt: skip
def test_without_a_good_signature_nothing_is_stored(
    url: str, headers: dict[str, str], status: int, reason: str
) -> None:
    answer = at_the_door(headers, url)
    assert (answer.status_code, answer.json()["error"], refusals()) == (status, reason, {reason: 1})
    assert not WebhookEvent.objects.exists()


@pytest.mark.django_db
def test_who_signed_wrongly_is_told_how_this_source_signs() -> None:
    assert "webhook-timestamp must be within five minutes" in at_the_door({}).json()["detail"]


@pytest.mark.django_db
def test_without_secrets_the_door_is_shut(settings: Settings) -> None:
    settings.STANDARD_WEBHOOKS_SECRETS = []
    assert at_the_door(signed(GOOD)).status_code == 401
