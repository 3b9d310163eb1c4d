"""``/health/…``: three questions, answered in JSON, with and without a trailing slash. ``/metrics`` for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import re_path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from scheduler import clock
from smartlock import health
from smartlock import metrics as measures

STATUS_CODES = {"healthy": 200, "degraded": 207, "unhealthy": 503}
View = Callable[[HttpRequest], HttpResponse]


def question(view: View) -> View:
    """Only read, never kept. No form can misuse it, so another method is told so instead of being asked for a token."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request)
        sentence = "This address is only read: use GET or HEAD.\n"
        return HttpResponse(sentence, status=405, content_type="text/plain", headers={"Allow": "GET, HEAD"})

    return csrf_exempt(never_cache(answered))


@question
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing is touched, so that a sick database does not get the web server restarted."""
    return JsonResponse({"status": "ok"})


@question
def ready(request: HttpRequest) -> JsonResponse:
    """Whether to send traffic here."""
    checks = health.readiness()
    well = all(checks.values())
    return JsonResponse({"status": "ok" if well else "unavailable", "checks": checks}, status=200 if well else 503)


@question
def queues(request: HttpRequest) -> JsonResponse:
    """The state of the queues: 200 healthy, 207 degraded, 503 unhealthy."""
    report = health.queues(now=clock.now())
    return JsonResponse(report, status=STATUS_CODES[report["status"]])


@question
def metrics(request: HttpRequest) -> HttpResponse:
    """The rows in numbers, for those who have the token (if one is set). 503 makes Prometheus note ``up 0``."""
    if not measures.is_allowed(request.headers.get("Authorization", "")):
        refused = HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    try:
        body, content_type = measures.render(now=clock.now(), accept=request.headers.get("Accept", ""))
    except DatabaseError:
        return HttpResponse("The database does not answer.\n", status=503, content_type="text/plain")
    return HttpResponse(body, content_type=content_type)


urlpatterns = [
    re_path(r"^health/live/?$", live, name="health-live"),
    re_path(r"^health/ready/?$", ready, name="health-ready"),
    re_path(r"^health/queues/?$", queues, name="health-queues"),
    re_path(r"^metrics/?$", metrics, name="metrics"),
]
