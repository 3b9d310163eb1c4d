"""``/health/…``: three questions, answered in JSON, with and without a trailing slash."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from scheduler import clock
from smartlock import health

STATUS_CODES = {"healthy": 200, "degraded": 207, "unhealthy": 503}


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing is touched, so that a sick database does not get the web server restarted."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Whether to send traffic here."""
    checks = health.readiness()
    well = all(checks.values())
    return JsonResponse({"status": "ok" if well else "unavailable", "checks": checks}, status=200 if well else 503)


@never_cache
@require_safe
def queues(request: HttpRequest) -> JsonResponse:
    """The state of the queues: 200 healthy, 207 degraded, 503 unhealthy."""
    report = health.queues(now=clock.now())
    return JsonResponse(report, status=STATUS_CODES[report["status"]])


urlpatterns = [
    re_path(r"^health/live/?$", live, name="health-live"),
    re_path(r"^health/ready/?$", ready, name="health-ready"),
    re_path(r"^health/queues/?$", queues, name="health-queues"),
]
