"""Stands behind the sign-in: who has to show a second factor gets no further before that."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from smartlock.api.problems import Problem
from smartlock.people import second_factor

GUARDED = ("/admin/", "/api/")
# Without these nobody could get through the gate, or leave.
OPEN = ("/admin/login/", "/admin/logout/", "/admin/second-factor/", "/admin/jsi18n/")
ASK_FIRST = "This account needs its second factor first."
REMEDY = "Sign in at /admin/ and enter the code of your app; a script uses a token, which needs none."


class SecondFactorGate:
    """Middleware. Looks at the address first, so that webhooks, health and metrics pay nothing for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(GUARDED) and not request.path.startswith(OPEN) and _is_held_up(request):
            return _send_to_the_gate(request)
        return self.get_response(request)


def _is_held_up(request: HttpRequest) -> bool:
    user = request.user
    return isinstance(user, User) and user.is_authenticated and second_factor.is_missing(user)


def _send_to_the_gate(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return Problem(403, ASK_FIRST, what_to_do=REMEDY).response()
    target = reverse("second-factor" if second_factor.has_one(second_factor.person(request)) else "second-factor-setup")
    return redirect(f"{target}?{urlencode({'next': request.get_full_path()})}")
