"""The second factor: an authenticator app's code (TOTP), and ten recovery codes for the day the phone is lost.

django-otp keeps the secrets and slows down guessing. Every change is in the audit trail, without secrets.
"""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest
from django_otp import devices_for_user, login, match_token, user_has_device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from smartlock.audit.services import record

NAME = "SmartLock"
RECOVERY_CODES = 10


def has_one(user: User | AnonymousUser) -> bool:
    return bool(user_has_device(user))


def must_have_one(user: User) -> bool:
    """Whether a group this person belongs to demands it (``SECOND_FACTOR_FOR``; "all" means everybody)."""
    wanted = set(settings.SECOND_FACTOR_FOR)
    if not wanted:
        return False
    return "all" in wanted or user.is_superuser or user.groups.filter(name__in=wanted).exists()


def is_missing(user: User) -> bool:
    """Whether this signed-in person has yet to show, or to set up, the second factor."""
    verified = getattr(user, "is_verified", None)
    if verified is not None and verified():
        return False
    return has_one(user) or must_have_one(user)


def begin(user: User) -> TOTPDevice:
    """The device being set up: unconfirmed, so it opens nothing yet. The same one until it is confirmed."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).first()
    return device or TOTPDevice.objects.create(user=user, name=NAME, confirmed=False)


def confirm(user: User, code: str, request: HttpRequest) -> list[str]:
    """The first code of the app proves that it was set up; returns the recovery codes, or nothing for a wrong code."""
    device = begin(user)
    if not device.verify_token(code):
        return []
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        codes = new_recovery_codes(user)
        record("second_factor.set_up", f"user:{user.pk}", actor=user.get_username(), summary=user.get_username())
    login(request, device)
    return codes


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten codes, each good once; older ones are void. They are shown this one time."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name=NAME)
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return codes


def show(user: User, code: str, request: HttpRequest) -> bool:
    """Check a code of the app or a recovery code; the session counts as verified from then on."""
    device = match_token(user, code.strip().replace(" ", "").lower())
    if device is None:
        return False
    login(request, device)
    if isinstance(device, StaticDevice):
        record("second_factor.recovery_used", f"user:{user.pk}", actor=user.get_username())
    return True


@transaction.atomic
def reset(user: User, *, actor: str) -> int:
    """Forget a person's devices, say because the phone is lost. Returns how many there were."""
    devices = list(devices_for_user(user, confirmed=None))
    for device in devices:
        device.delete()
    if devices:
        record("second_factor.reset", f"user:{user.pk}", actor=actor, summary=user.get_username())
    return len(devices)


def person(request: HttpRequest) -> User:
    """The signed-in person; only for views behind the sign-in."""
    return cast(User, request.user)
