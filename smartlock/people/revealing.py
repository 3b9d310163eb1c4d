"""The page that shows one live PIN: who asks must be allowed to, say why, and is recorded (``locks.reveal``)."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from locks import reveal
from locks.models import Credential
from scheduler import clock
from smartlock.people.forms import ReasonForm
from smartlock.people.roles import REVEAL
from smartlock.people.second_factor import person


@never_cache
@require_http_methods(["GET", "POST"])
def reveal_pin(request: HttpRequest, credential_id: int) -> HttpResponseBase:
    """GET asks for the reason, POST shows the digits once. 403 without the permission, 404 for an unknown PIN."""
    if not (request.user.is_authenticated and request.user.is_staff):
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    return _shown(request, credential_id)


@permission_required(REVEAL, raise_exception=True)
def _shown(request: HttpRequest, credential_id: int) -> HttpResponse:
    credential = Credential.objects.select_related("lock").filter(pk=credential_id).first()
    if credential is None:
        raise Http404("There is no such PIN.")
    form, pin = ReasonForm(request.POST or None), ""
    if form.is_valid():
        try:
            pin = reveal.reveal(
                credential_id, reason=form.cleaned_data["reason"], now=clock.now(),
                actor=person(request).get_username(),
            )  # fmt: skip
        except reveal.NotShown as refusal:
            form.add_error(None, str(refusal))
    context = {
        **admin.site.each_context(request), "title": _("Show a PIN"), "form": form, "pin": pin,
        "credential": credential, "back": _back(credential),
    }  # fmt: skip
    return TemplateResponse(request, "smartlock/people/reveal.html", context)


def _back(credential: Credential) -> str:
    if credential.reservation_id:
        return reverse("admin:reservations_reservation_change", args=[credential.reservation_id])
    return reverse("admin:locks_lock_change", args=[credential.lock_id])
