"""The part of the first page that renews itself, asked for by the page's own script."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from scheduler import clock
from smartlock.tonight.board import board

SEE = "reservations.view_reservation"


@never_cache
@require_GET
@admin.site.admin_view
@permission_required(SEE, raise_exception=True)
def fragment(request: HttpRequest) -> HttpResponse:
    """Arrivals and departures as they are now. 403 for who may not see stays."""
    tonight = board(clock.now(), may=request.user.has_perm)
    return TemplateResponse(request, "smartlock/tonight/board.html", {"tonight": tonight})
