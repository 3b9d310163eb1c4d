"""The pages about oneself: profile, setting up the second factor, showing it. All of them behind the sign-in."""

from __future__ import annotations

from base64 import b32encode
from typing import Any

import qrcode
from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from qrcode.image.svg import SvgPathImage

from smartlock.people import second_factor
from smartlock.people.forms import CodeForm
from smartlock.people.second_factor import person
from smartlock.people.sessions import sign_out_everywhere


@never_cache
@require_http_methods(["GET", "POST"])
def show_second_factor(request: HttpRequest) -> HttpResponseBase:
    """After the password: the code. A wrong one makes the next try wait longer (django-otp)."""
    if not _is_staff(request):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if second_factor.show(person(request), form.cleaned_data["code"], request):
            return redirect(_next(request))
        wrong = _("That code is wrong, was used already, or came too soon after a wrong one. Try the next one.")
        form.add_error("code", wrong)
    return _page(request, "show", _("Second factor"), form=form)


@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponseBase:
    """Scan the square, type the first code, keep the recovery codes."""
    if not _is_staff(request) or _must_show_first(request):
        return redirect(reverse("second-factor") if _is_staff(request) else reverse("admin:login"))
    device = second_factor.begin(person(request))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if codes := second_factor.confirm(person(request), form.cleaned_data["code"], request):
            return _page(request, "recovery", _("Recovery codes"), codes=codes, next=_next(request))
        form.add_error("code", _("That code does not fit. Is the phone's clock right? Type the one it shows now."))
    return _page(request, "set_up", _("Set up the second factor"), form=form, square=_square(device), key=_key(device))


@never_cache
@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponseBase:
    """One's own name, groups and second factor; new recovery codes; signing out everywhere else."""
    if not _is_staff(request):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    user = person(request)
    if "sign_out" in request.POST:
        ended = sign_out_everywhere(user, actor=user.get_username(), keep=str(request.session.session_key))
        done = ngettext("%d other session was ended.", "%d other sessions were ended.", ended)
        messages.success(request, done % ended)
        return redirect("profile")
    if "recovery" in request.POST and second_factor.has_one(user):
        return _page(
            request, "recovery", _("Recovery codes"), codes=second_factor.new_recovery_codes(user),
            next=reverse("profile"),
        )  # fmt: skip
    return _page(
        request, "profile", _("Profile"), groups=user.groups.order_by("name"),
        device=TOTPDevice.objects.filter(user=user, confirmed=True).first(),
        codes_left=StaticToken.objects.filter(device__user=user).count(),
    )  # fmt: skip


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_authenticated and request.user.is_staff)


def _must_show_first(request: HttpRequest) -> bool:
    """Who has a device may replace it only after showing it: a stolen password must not be enough."""
    user = person(request)
    return second_factor.has_one(user) and not getattr(user, "is_verified", bool)()


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else reverse("admin:index")


def _square(device: TOTPDevice) -> SafeString:
    """The QR code as inline SVG: nothing is fetched, nothing is kept."""
    svg: str = qrcode.make(device.config_url, image_factory=SvgPathImage).to_string(encoding="unicode")
    return mark_safe(svg)  # drawn here, from a secret of ours


def _key(device: TOTPDevice) -> str:
    """The same for typing, in groups of four."""
    secret = b32encode(device.bin_key).decode()
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def _page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "next": _next(request), **context}
    return TemplateResponse(request, f"smartlock/people/{name}.html", context)
