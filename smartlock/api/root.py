"""What there is under ``/api/``, and the document that describes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, re_path
from django.urls.resolvers import RoutePattern
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema

from smartlock.api import (
    accommodations,
    credentials,
    events,
    health,
    idempotency,
    jobs,
    locks,
    problems,
    queues,
    recurring,
    reservations,
    staff,
)
from smartlock.api.gate import gate
from smartlock.api.problems import Problem
from smartlock.api.shapes import ProblemBody

DESCRIPTION = """\
What the operators' pages can do, for scripts. Make a token with `manage.py create_token NAME --scope read` and send it
as `Authorization: Bearer <token>`; whoever is signed in to the admin site may read without one.

* Times are ISO 8601 in UTC; a stay's own clock stands beside them.
* Lists take `limit` and `offset`, and tell `total` and `next`.
* A write may carry an `Idempotency-Key`: sent again within 24 hours, it is done once and answered alike.
* Every refusal is `application/problem+json` (RFC 9457) and says what to do.
* The digits of a PIN are never shown.
"""
WRITES = ("post", "put", "patch", "delete")
READ_REFUSALS = (400, 401, 403, 404, 422, 429, 500)
WRITE_REFUSALS = (400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503)


class Api(NinjaAPI):
    """Ninja's, with every address behind the gate and every refusal in the document."""

    def _get_urls(self) -> list[Any]:
        guarded: list[Any] = [
            path("openapi.json", gate(self._document), name="openapi-json"),
            path("docs", staff_member_required(self._docs, login_url="admin:login"), name="openapi-view"),
            path("", lambda request: redirect("api:openapi-view"), name="api-root"),
        ]
        for router in self._get_bound_routers():
            # Ninja gives one pattern for each call, with the view of all calls of that address.
            calls = [view.operations for view in router.path_operations.values() for _ in view.operations]
            for operations, pattern in zip(calls, router.urls_paths(router.prefix), strict=True):
                assert isinstance(pattern.pattern, RoutePattern)
                assert pattern.callback is not None
                guarded.append(path(str(pattern.pattern), gate(pattern.callback, operations), name=pattern.name))
        guarded.append(re_path("", gate(_nothing_here)))
        return guarded

    def _document(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise Problem(405, "This address does not know that method.", headers={"Allow": "GET, HEAD"})
        return self.create_response(request, self.get_openapi_schema(), status=200)

    def _docs(self, request: HttpRequest) -> HttpResponse:
        return self.docs.render_page(request, self)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(path_prefix="/api/", **options)
        document["components"]["schemas"]["Problem"] = ProblemBody.json_schema()
        for method, call in _calls(document):
            _complete(method, call)
        return document


def _calls(document: OpenAPISchema) -> Iterator[tuple[str, dict[str, Any]]]:
    for calls in document["paths"].values():
        yield from calls.items()


def _complete(method: str, call: dict[str, Any]) -> None:
    """What is true of every call, so that none has to say it: who may, how it is refused, how it is sent twice."""
    writes = method in WRITES
    for status in WRITE_REFUSALS if writes else READ_REFUSALS:
        call["responses"].setdefault(status, _refusal(status))
    if writes:
        call["parameters"].append({
            "in": "header", "name": idempotency.HEADER, "required": False,
            "description": "the same key within 24 hours: done once, answered alike",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
        })  # fmt: skip
    call["operationId"] = call["operationId"].rpartition("_api_")[2].partition("_")[2]


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": problems.REMEDIES[problems.KINDS[status]],
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _nothing_here(request: HttpRequest) -> HttpResponse:
    raise Problem(404, f"There is nothing at {request.path}.")


# Swagger's own files are served from here, and nothing is asked of anybody else.
api = Api(
    title="SmartLock", version="1", description=DESCRIPTION, urls_namespace="api",
    docs=Swagger({"validatorUrl": None, "persistAuthorization": False, "tryItOutEnabled": True, "filter": True}),
)  # fmt: skip


@api.exception_handler(Exception)
def refuse(request: HttpRequest, error: Any) -> HttpResponse:
    return problems.of(error, request).response()


for _handled in [kind for kind in api._exception_handlers if kind is not Exception]:
    api.add_exception_handler(_handled, refuse)  # ninja's own answers give way to ours

api.add_router("reservations", reservations.router)
api.add_router("credentials", credentials.router)
api.add_router("staff-codes", staff.router)
api.add_router("jobs", jobs.router)
api.add_router("dead-letters", jobs.shelf)
api.add_router("queues", queues.router)
api.add_router("events", events.router)
api.add_router("locks", locks.router)
api.add_router("accommodations", accommodations.router)
api.add_router("health", health.router)
api.add_router("recurring-jobs", recurring.router)
