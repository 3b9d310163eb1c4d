"""Flower behind the operators' login: ``/admin/flower/…`` is handed on to Flower on the loopback, with its password.

Flower's own pages have no login of ours, and its /metrics and /healthcheck are open to whoever reaches its port. So it
listens on the loopback only (``deploy/flowerconfig.py`` puts it under this prefix), and people come in by this view.
To look takes the permission to see jobs, to act (stop workers, revoke tasks) the permission to change them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, urlsplit

import httpx
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

PREFIX = "admin/flower/"
# What Flower is told of a request. Our session cookie is not among it.
PASSED_ON = ("accept", "accept-encoding", "accept-language", "content-type", "if-none-match", "if-modified-since")
# What the browser is told of the answer: nothing about the connection, and no cookie or login of Flower's.
PASSED_BACK = (
    "content-type", "content-encoding", "content-length", "etag", "last-modified", "location", "vary",
    "content-disposition", "x-content-type-options",
)  # fmt: skip


@csrf_exempt  # Flower's pages do not know our token: `_refuse_strangers` looks at the origin instead
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def flower(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """One request, handed on. 302 to the login, 403 without permission, 503 with a plain page without Flower."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    _refuse_strangers(request)
    if ".." in path.split("/"):
        raise Http404("Flower has no such page.")
    try:
        answer = _client().send(_message(request, path), stream=True)
    except httpx.HTTPError:
        return _sorry(request, "away")
    if answer.status_code in (401, 403):
        answer.close()
        return _sorry(request, "refused")
    if answer.status_code == 404 and not path:
        answer.close()
        return _sorry(request, "elsewhere")
    response = StreamingHttpResponse(_chunks(answer), status=answer.status_code)
    for name in PASSED_BACK:
        if name in answer.headers:
            response.headers[name] = answer.headers[name]
    return response


def _refuse_strangers(request: HttpRequest) -> None:
    """Raises PermissionDenied for who may not look, may not act, or comes from another site."""
    acts = request.method == "POST"
    if not (request.user.is_staff and request.user.has_perm("scheduler.view_job")):
        raise PermissionDenied("Flower is for operators who may see jobs.")
    if acts and not request.user.has_perm("scheduler.change_job"):
        raise PermissionDenied("To act in Flower takes the permission to change jobs.")
    if acts and not _is_same_origin(request):
        raise PermissionDenied("This request comes from another site.")


def _is_same_origin(request: HttpRequest) -> bool:
    """A browser always names the origin of a POST; who names none is not a browser on our page."""
    origin = request.headers.get("Origin") or ""
    return urlsplit(origin)[:2] == (request.scheme, request.get_host())


def _message(request: HttpRequest, path: str) -> httpx.Request:
    query = request.META.get("QUERY_STRING", "")
    url = f"{settings.FLOWER_URL}/{PREFIX}{quote(path)}" + (f"?{query}" if query else "")
    headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
    user, _colon, password = settings.FLOWER_AUTH.partition(":")
    client = _client()
    message = client.build_request(str(request.method), url, headers=headers, content=request.body or None)
    return next(httpx.BasicAuth(user, password).auth_flow(message)) if settings.FLOWER_AUTH else message


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    return httpx.Client(timeout=httpx.Timeout(30, connect=2), follow_redirects=False, trust_env=False)


def _chunks(answer: httpx.Response) -> Iterator[bytes]:
    """The body as it comes, still compressed. An upstream that breaks off ends the page, too."""
    chunks: Iterable[bytes] = answer.iter_raw()
    try:
        yield from chunks
    except httpx.HTTPError:
        return
    finally:
        answer.close()


def _sorry(request: HttpRequest, why: str) -> HttpResponse:
    """A page that says what is the matter: ``away``, ``refused`` our password, or serves ``elsewhere``."""
    context = {**admin.site.each_context(request), "title": "Flower", "why": why}
    return TemplateResponse(request, "smartlock/admin/flower_sorry.html", context, status=503)
