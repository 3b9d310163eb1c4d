"""Guessing is slowed down, and a second factor stands behind the password for whom it is switched on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from smartlock.audit.models import AuditLog
from smartlock.people import address, second_factor
from tests.people.conftest import PASSWORD, Join, make_person

pytestmark = pytest.mark.django_db
HOME = "/admin/"


def _sign_in(client: Client, password: str, **meta: Any) -> Any:
    return client.post(f"{reverse('admin:login')}?next={HOME}", {"username": "olga", "password": password}, **meta)


def _boss() -> Client:
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", password=PASSWORD))
    return boss


def _code(device: TOTPDevice) -> str:
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    return f"{totp.token():06d}"


def test_the_sixth_try_is_refused_even_with_the_right_password_and_says_what_to_do() -> None:
    make_person("olga", "operator")
    client = Client()
    for _ in range(5):
        _sign_in(client, "wrong")
    response = _sign_in(client, PASSWORD)
    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()
    assert client.get(HOME).status_code == 302


def test_who_guesses_from_elsewhere_does_not_lock_the_person_out() -> None:
    make_person("olga", "operator")
    for _ in range(6):
        _sign_in(Client(), "wrong", REMOTE_ADDR="203.0.113.9")
    assert _sign_in(Client(), PASSWORD, REMOTE_ADDR="198.51.100.7").status_code == 302


def test_an_administrator_lets_somebody_try_again() -> None:
    make_person("olga", "operator")
    for _ in range(6):
        _sign_in(Client(), "wrong")
    boss, listing = _boss(), reverse("admin:axes_accessattempt_changelist")
    row = re.search(r'name="_selected_action"[^>]*value="(\d+)"', boss.get(listing).content.decode())
    assert row is not None
    boss.post(listing, {"action": "unlock", "_selected_action": row[1]})
    assert _sign_in(Client(), PASSWORD).status_code == 302
    assert AuditLog.objects.get(action="sign_in.unlocked").actor == "boss"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.2.3.4", "10.0.0.1"),
        (1, "1.2.3.4", "1.2.3.4"),
        (1, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (2, "6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        (1, "", None),
        (1, "nonsense", None),
    ],
)
def test_only_our_own_proxies_are_believed(
    settings: LazySettings, proxies: int, forwarded: str, expected: str | None
) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert address.of(request) == expected


def test_without_the_setting_and_without_a_device_nothing_more_is_asked() -> None:
    make_person("olga", "operator")
    client = Client()
    _sign_in(client, PASSWORD)
    assert client.get(HOME).status_code == 200


def test_who_must_have_a_second_factor_is_led_to_set_it_up(settings: LazySettings, join: Join) -> None:
    settings.SECOND_FACTOR_FOR = ["operator"]
    assert join("viewer").get(HOME).status_code == 200
    response = join("operator").get(HOME)
    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("second-factor-setup"))


def test_a_device_is_set_up_asked_for_at_the_next_sign_in_and_a_recovery_code_serves_once() -> None:
    olga = make_person("olga", "operator")
    client, setup = Client(), reverse("second-factor-setup")
    _sign_in(client, PASSWORD)
    page = client.get(setup).content.decode()
    device = TOTPDevice.objects.get(user=olga)
    assert "<path" in page  # a prefixed <svg:path> would stay invisible inside a page
    assert client.post(setup, {"code": "000000"}).status_code == 200
    TOTPDevice.objects.update(throttling_failure_count=0)
    codes = re.findall(r"<code>(\w+)</code>", client.post(setup, {"code": _code(device)}).content.decode())
    assert len(codes) == second_factor.RECOVERY_CODES
    assert client.get(HOME).status_code == 200

    later, ask = Client(), reverse("second-factor")
    _sign_in(later, PASSWORD)
    assert later.get(HOME).headers["Location"].startswith(ask)
    refused = later.get("/api/jobs")
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/problem+json")
    assert "code of your app" in refused.json()["what_to_do"]
    assert later.post(ask, {"code": "abcdefgh"}).status_code == 200
    StaticDevice.objects.update(throttling_failure_count=0)
    TOTPDevice.objects.update(throttling_failure_count=0)
    assert later.post(ask, {"code": codes[0]}).headers["Location"] == HOME
    assert later.get(HOME).status_code == 200

    again = Client()
    _sign_in(again, PASSWORD)
    again.post(ask, {"code": codes[0]})
    assert again.get(HOME).status_code == 302


def test_a_stolen_password_does_not_replace_the_device() -> None:
    TOTPDevice.objects.create(user=make_person("olga", "operator"), name="phone", confirmed=True)
    thief = Client()
    _sign_in(thief, PASSWORD)
    assert thief.get(reverse("second-factor-setup")).headers["Location"] == reverse("second-factor")
    assert thief.post(reverse("profile"), {"recovery": "1"}).status_code == 302


def test_the_next_page_is_never_somebody_elses(join: Join) -> None:
    page = join("operator").get(reverse("second-factor") + "?next=https://evil.example/").content.decode()
    assert 'value="https://evil.example/"' not in page
    assert f'name="next" value="{HOME}"' in page


def test_an_administrator_resets_a_lost_phone_and_ends_the_sessions() -> None:
    olga = make_person("olga", "operator")
    TOTPDevice.objects.create(user=olga, name="phone", confirmed=True)
    hers, boss = Client(), _boss()
    hers.force_login(olga)
    for action in ("reset_second_factor", "sign_out"):
        boss.post(reverse("admin:auth_user_changelist"), {"action": action, "_selected_action": olga.pk})
    assert not second_factor.has_one(olga)
    assert hers.get(HOME).headers["Location"].startswith(reverse("admin:login"))
    assert AuditLog.objects.filter(action="second_factor.reset", actor="boss").count() == 1


def test_signing_out_everywhere_else_keeps_this_session() -> None:
    olga = make_person("olga", "operator")
    here, there = Client(), Client()
    here.force_login(olga)
    there.force_login(olga)
    here.post(reverse("profile"), {"sign_out": "1"})
    assert here.get(HOME).status_code == 200
    assert there.get(HOME).status_code == 302
