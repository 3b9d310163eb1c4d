"""What Stays sends, made by hand: envelopes, signatures and the knock at the door."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

from django.test import Client

from scheduler.models import Job
from webhooks import inbox, services
from webhooks.envelope import parse
from webhooks.models import Refusal, WebhookEvent
from webhooks.verification import Verdict

TOKEN = "a-webhook-token-for-tests"
SECRET = "a-webhook-secret-for-tests"
URL = f"/webhooks/stays/{TOKEN}/"
SIGNED_URL = "/webhooks/stays/"
STAY = "69388e7b0000000000000001"


def stay(**over: Any) -> dict[str, Any]:
    """A booked stay from 6 to 9 March 2026 in the listing L1, as a webhook's body shows it."""
    return {
        "_id": STAY, "id": "EV23J", "creationDate": "2026-03-01", "type": "booked", "_idlisting": "L1",
        "checkInDate": "2026-03-06", "checkInTime": "15:00", "checkOutDate": "2026-03-09", "checkOutTime": "11:00",
    } | over  # fmt: skip


def body(action: str, payload: object, at: str = "2026-03-05T12:00:00.000Z") -> bytes:
    return json.dumps({"action": action, "_dt": at, "payload": payload}).encode()


def signature(content: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def in_base64(content: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()


def knock(content: bytes, *, url: str = URL, signed: bool = False, headers: dict[str, str] | None = None) -> Any:
    """POST as Stays does."""
    given = {**(headers or {}), **({"x-stays-signature": signature(content)} if signed else {})}
    return Client().post(url, data=content, content_type="application/json", headers=given)


def received(
    action: str, payload: object, *, now: datetime, at: datetime | None = None, verdict: Verdict = Verdict.VERIFIED
) -> WebhookEvent:
    """An event as the view leaves it, received at ``now`` and said to have happened ``at``."""
    content = body(action, payload, (at or now).isoformat())
    headers = {"content-type": "application/json"}
    stored = services.receive(parse(content), headers=headers, body=content, verdict=verdict, remote=None, now=now)
    return WebhookEvent.objects.get(pk=stored.event_id)


def process(event: WebhookEvent, now: datetime) -> WebhookEvent:
    services.process(event.pk, now=now)
    event.refresh_from_db()
    return event


def process_all(now: datetime) -> None:
    """Run what is waiting, and what that wakes up, until nothing is."""
    for _ in range(100):
        inbox.sort(now=now + inbox.LONGEST)
        jobs = list(Job.objects.filter(kind=inbox.PROCESS, state=Job.State.SCHEDULED).order_by("id"))
        if not jobs:
            return
        for job in jobs:
            Job.objects.filter(pk=job.pk).update(state=Job.State.SUCCEEDED, finished_at=now)
            services.process(job.payload["event"], now=now)
    raise AssertionError("the events wake each other for ever")


def processing_jobs() -> int:
    return Job.objects.filter(kind=inbox.PROCESS).count()


def refusals() -> dict[str, int]:
    return dict(Refusal.objects.values_list("reason", "count"))


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)
