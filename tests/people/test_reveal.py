"""One way digits come to a screen: a live PIN, somebody allowed, a reason, and a line in the audit trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from locks.models import Credential
from smartlock.audit.models import AuditLog
from tests.admin.house import PIN, make_house
from tests.people.conftest import Join

pytestmark = pytest.mark.django_db
REASON = {"reason": "The guest stands at the door and lost the message."}


@pytest.fixture
def credential(db: None) -> Credential:
    stay = make_house(1, timezone.now())[0]
    credential = Credential.objects.get(reservation=stay)
    now = timezone.now()
    credential.starts_at, credential.ends_at = now - timedelta(hours=1), now + timedelta(hours=20)
    credential.save()
    return credential


def test_the_reason_comes_first_then_the_digits_once_and_the_trail_has_none(credential: Credential, join: Join) -> None:
    client, address = join("operator"), reverse("reveal-pin", args=[credential.pk])
    assert PIN not in client.get(address).content.decode()
    response = client.post(address, REASON)
    assert PIN in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert PIN not in client.get(address).content.decode()
    entry = AuditLog.objects.get(action="pin.revealed")
    assert (entry.actor, entry.summary) == ("operator", REASON["reason"])
    assert PIN not in str(entry.details)


@pytest.mark.parametrize("role", ["viewer", "auditor", "engineer"])
def test_others_are_refused_and_offered_nothing(role: str, credential: Credential, join: Join) -> None:
    client, address = join(role), reverse("reveal-pin", args=[credential.pk])
    assert client.post(address, REASON).status_code == 403
    stay = reverse("admin:reservations_reservation_change", args=[credential.reservation_id])
    assert address not in client.get(stay).content.decode()
    assert not AuditLog.objects.filter(action="pin.revealed").exists()


def test_the_stays_page_offers_it_to_an_operator(credential: Credential, join: Join) -> None:
    stay = reverse("admin:reservations_reservation_change", args=[credential.reservation_id])
    assert reverse("reveal-pin", args=[credential.pk]) in join("operator").get(stay).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"wanted": False},
        {"pin_sealed": b""},
        {"ends_at": timezone.now() - timedelta(minutes=1)},
        {"starts_at": timezone.now() + timedelta(hours=25), "ends_at": timezone.now() + timedelta(hours=49)},
    ],
    ids=["withdrawn", "erased", "over", "far ahead"],
)
def test_a_pin_that_is_not_live_is_not_shown(change: dict[str, object], credential: Credential, join: Join) -> None:
    for name, value in change.items():
        setattr(credential, name, value)
    credential.save()
    page = join("operator").post(reverse("reveal-pin", args=[credential.pk]), REASON).content.decode()
    assert PIN not in page
    assert "not live" in page


def test_without_a_reason_nothing_is_shown(credential: Credential, join: Join) -> None:
    response = join("operator").post(reverse("reveal-pin", args=[credential.pk]), {"reason": "  "})
    assert PIN not in response.content.decode()
