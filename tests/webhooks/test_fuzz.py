"""Whatever is thrown at the door: never a 5xx, and either one whole event or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import models
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scheduler.models import Job
from tests.webhooks.deliveries import SIGNED_URL, TOKEN, URL, signature
from webhooks.models import Refusal, WebhookEvent

pytestmark = pytest.mark.django_db
bounded = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

TEXT = st.text(st.characters(codec=None), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ACTIONS = st.sampled_from(
    ["reservation.created", "reservation.deleted", "reservation.canceled", "reservation.payments.created",
     "reservation.new", "message.added", "calendar.rates.modified"]
) | TEXT  # fmt: skip
IDS = st.sampled_from(["69388e7b0000000000000001", "x" * 64, "x" * 65, "\x00", "../x"]) | JSON
MOMENTS = st.sampled_from(["2026-03-05T12:00:00.000Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]) | JSON
ENVELOPES = st.fixed_dictionaries(
    {"action": ACTIONS, "_dt": MOMENTS, "payload": st.fixed_dictionaries({"_id": IDS, "id": IDS}) | JSON}
).map(lambda envelope: json.dumps(envelope).encode())
BODIES = ENVELOPES | JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=200)
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)
HEADER = st.sampled_from(
    ["x-stays-signature", "x-hub-signature-256", "x-stays-client-id", "authorization", "cookie", "content-encoding",
     "accept-language", "x-forwarded-for", "x-http-method-override", "x-anything"]
)  # fmt: skip
HEADERS = st.dictionaries(HEADER, LATIN, max_size=4)


def counts() -> tuple[int, int, int]:
    events = WebhookEvent.objects.count()
    turned_away = Refusal.objects.aggregate(sum=models.Sum("count"))["sum"] or 0
    jobs = Job.objects.filter(kind="webhooks.process_event").count()
    return events, turned_away, jobs


def assert_whole_or_nothing(answer: Any, before: tuple[int, int, int], content: bytes) -> None:
    assert answer.status_code in (200, 400, 401, 404, 413)
    events, turned_away, jobs = (after - was for after, was in zip(counts(), before, strict=True))
    if answer.status_code != 200:
        assert (events, turned_away, jobs) == (0, 1, 0)
        return
    event = WebhookEvent.objects.get(pk=answer.json()["event"])
    assert (events, turned_away) == ((1, 0) if answer.json()["status"] == "stored" else (0, 0))
    assert jobs == 0
    if event.state == "received":
        assert Job.objects.filter(kind="webhooks.sort_inbox", state="scheduled").exists()
    if events:
        assert bytes(event.body) == content
    assert_fits(event)


def assert_fits(row: models.Model) -> None:
    """PostgreSQL would take it: within the columns' lengths, and without NUL or half surrogates."""
    for field in row._meta.get_fields():
        value = getattr(row, field.name, None)
        if not isinstance(value, str):
            continue
        assert "\x00" not in value
        assert len(value.encode()) >= len(value)
        if isinstance(field, models.CharField) and field.max_length:
            assert len(value) <= field.max_length


@bounded
@given(content=BODIES, headers=HEADERS)
def test_any_body_and_headers_with_the_token(content: bytes, headers: dict[str, str]) -> None:
    before = counts()
    answer = Client().post(URL, data=content, content_type="application/json", headers=headers)
    assert_whole_or_nothing(answer, before, content)


@bounded
@given(content=BODIES, headers=HEADERS)
def test_any_signed_body_without_the_token(content: bytes, headers: dict[str, str]) -> None:
    before = counts()
    signed = {**headers, "x-stays-signature": signature(content)}
    answer = Client().post(SIGNED_URL, data=content, content_type="application/json", headers=signed)
    assert_whole_or_nothing(answer, before, content)


@bounded
@given(token=st.text(st.characters(codec="utf-8", exclude_characters="/?#%"), min_size=1, max_size=40))
def test_any_other_token(token: str) -> None:
    before = counts()
    answer = Client().post(f"/webhooks/stays/{token}/", data=b"{}", content_type="application/json")
    assert answer.status_code == (400 if token == TOKEN else 404)
    assert counts()[0] == before[0]
