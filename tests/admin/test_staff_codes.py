"""Codes for the staff: entered and ended on the admin site, their digits shown once and to whom it is allowed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from locks import sealing
from locks.models import Credential, Lock, StaffCode
from scheduler.models import Job
from smartlock.audit.models import AuditLog
from tests.builders import make_accommodation, make_lock
from tests.people.conftest import Join, join

pytestmark = pytest.mark.django_db
__all__ = ["join"]
ADD, LIST = reverse("admin:locks_staffcode_add"), reverse("admin:locks_staffcode_changelist")


def form(*doors: Lock, **over: Any) -> dict[str, Any]:
    local = timezone.localtime()

    def parts(name: str, at: datetime) -> dict[str, str]:
        return {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}

    return {
        "name": "Cleaning", "person": "Rita", "active": "on", "locks": [lock.pk for lock in doors],
        "accommodations": [],
    } | parts("starts_at", local) | parts("ends_at", local + timedelta(days=3)) | over  # fmt: skip


def cleaning(client: Client, *doors: Lock, **over: Any) -> StaffCode:
    response = client.post(ADD, form(*doors, **over))
    assert response.status_code == 302, response.content.decode()
    return StaffCode.objects.get()


def at(name: str, code: StaffCode) -> str:
    return reverse(f"admin:locks_staffcode_{name}", args=[code.pk])


def test_a_code_is_entered_planned_as_a_whole_and_changed(join: Join) -> None:
    olga, gate, unit = join("operator"), make_lock(), make_accommodation()
    make_lock(unit)
    code = cleaning(olga, gate, accommodations=[unit.pk])
    assert set(code.locks.all()) == {gate}
    assert Job.objects.filter(subject=code.subject, state__in=Job.LIVE).count() == 4
    assert AuditLog.objects.get(action="staff_code.created").actor == "operator"
    assert olga.post(at("change", code), form(gate, person="Bia")).status_code == 302
    code.refresh_from_db()
    assert (code.person, code.accommodations.count()) == ("Bia", 0)
    assert Job.objects.filter(subject=code.subject, state__in=Job.LIVE).count() == 2


def test_what_cannot_be_is_a_sentence_on_the_form(join: Join) -> None:
    olga, gate = join("operator"), make_lock()
    begins = form(gate)
    backwards = {"ends_at_0": begins["starts_at_0"], "ends_at_1": "00:00:00", "starts_at_1": "00:00:01"}
    for wrong, sentence in (
        (form(gate, **backwards), "not after its start"),
        (form(gate, starts_at_0="2020-01-01", ends_at_0="2020-01-02"), "This time is over"),
        (form(), "Choose a door"),
    ):
        assert sentence in olga.post(ADD, wrong).content.decode()
    assert not StaffCode.objects.exists()


def test_the_digits_are_asked_for_shown_once_and_are_nowhere_else(join: Join) -> None:
    olga = join("operator")
    code = cleaning(olga, make_lock(name="Gate"))
    assert not Credential.objects.exists()
    assert "sl-pin" not in olga.get(at("digits", code)).content.decode()
    response = olga.post(at("digits", code))
    pin = sealing.unseal(Credential.objects.get().pin_sealed)
    assert re.findall(r"sl-pin\">(\d+)<", response.content.decode()) == [pin]
    assert "no-store" in response.headers["Cache-Control"]
    assert "nothing to show" in olga.post(at("digits", code)).content.decode()
    for page in (at("digits", code), at("change", code), LIST):
        assert pin not in olga.get(page).content.decode()
    assert not any(pin in f"{row.summary}{row.details}" for row in AuditLog.objects.all())


def test_other_digits_may_be_shown_again(join: Join) -> None:
    olga = join("operator")
    code = cleaning(olga, make_lock())
    shown = [re.findall(r"sl-pin\">(\d+)<", olga.post(at("digits", code)).content.decode())]
    assert olga.post(LIST, {"action": "renew", "_selected_action": [code.pk]}).status_code == 302
    shown.append(re.findall(r"sl-pin\">(\d+)<", olga.post(at("digits", code)).content.decode()))
    assert (len(shown[0]), len(shown[1]), shown[0] != shown[1]) == (1, 1, True)


@pytest.mark.parametrize("role", ["viewer", "auditor", "engineer"])
def test_others_see_the_code_and_do_nothing_with_it(role: str, join: Join) -> None:
    code = cleaning(join("operator"), make_lock())
    other = join(role)
    assert other.get(LIST).status_code == 200
    assert at("digits", code) not in other.get(at("change", code)).content.decode()
    assert other.post(at("digits", code)).status_code == 403
    assert other.get(ADD).status_code == 403
    other.post(LIST, {"action": "end", "_selected_action": [code.pk]})
    code.refresh_from_db()
    assert code.active


def test_a_code_is_ended_by_button_and_never_deleted(join: Join) -> None:
    olga = join("operator")
    code = cleaning(olga, make_lock())
    olga.post(at("digits", code))
    assert olga.post(LIST, {"action": "end", "_selected_action": [code.pk]}).status_code == 302
    code.refresh_from_db()
    assert not code.active
    assert not Credential.objects.filter(wanted=True).exists()
    assert olga.post(at("delete", code), {"post": "yes"}).status_code == 403


def test_the_list_says_on_how_many_doors_it_is_proven(join: Join) -> None:
    olga, gate = join("operator"), make_lock(name="Gate")
    code = cleaning(olga, gate, make_lock(name="Side door"))
    now = code.starts_at
    Credential.objects.create(
        purpose="staff", staff_code=code, lock=gate, name="SL 1", starts_at=now, ends_at=code.ends_at, asked_at=now,
        state="on_lock", proven_at=now, lock_starts_at=now, lock_ends_at=code.ends_at,
    )  # fmt: skip
    page = olga.get(LIST).content.decode()
    assert "1 of 2" in page
    assert "not yet on all doors" in page
    assert "Gate, Side door" in page
