"""The part of the first page that renews itself, asked for by the page's own script."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from scheduler import clock
from smartlock.tonight.board import board
from smartlock.tonight.parts import asked

SEE = "reservations.view_reservation"


@gzip_page  # asked for every 25 s by each open page; nothing in it is secret and told from what the asker chose
@never_cache
@require_GET
@admin.site.admin_view
@permission_required(SEE, raise_exception=True)
def fragment(request: HttpRequest) -> HttpResponse:
    """Arrivals and departures as they are now. 403 for who may not see stays."""
    tonight = board(clock.now(), may=request.user.has_perm, wanted=asked(request.GET))
    return TemplateResponse(request, "smartlock/tonight/board.html", {"tonight": tonight})
