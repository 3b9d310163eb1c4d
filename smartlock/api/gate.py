"""What every request passes: who is it, how often, once only; and no answer leaves in another shape than promised.

No middleware: the webhooks' address pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from ninja.operation import Operation

from smartlock.api import callers, idempotency, problems, throttle
from smartlock.api.problems import Problem

View = Callable[..., HttpResponse]
TALKS_TO_A_DOOR = "talks_to_a_door"


def talks_to_a_door(call: Any) -> Any:
    """Marks a call that asks a lock: no transaction is held meanwhile."""
    setattr(call, TALKS_TO_A_DOOR, True)
    return call


def gate(view: View, operations: Sequence[Operation] = ()) -> View:
    by_method = {method: operation for operation in operations for method in operation.methods}

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        headers: dict[str, str] = {}
        try:
            response = _pass(
                request, by_method.get(str(request.method)), headers, lambda: view(request, *args, **kwargs)
            )
        except Exception as error:
            response = problems.of(error, request).response()
        if response.status_code >= 400 and response.get("Content-Type", "") != problems.MEDIA_TYPE:
            response = problems.of_response(response).response()
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        add_never_cache_headers(response)
        return response

    guarded.csrf_exempt = True  # type: ignore[attr-defined]  # a cookie alone changes nothing: see callers
    return guarded


def _pass(
    request: HttpRequest, operation: Operation | None, headers: dict[str, str], work: idempotency.Work
) -> HttpResponse:
    caller = callers.identify(request)
    request.caller = caller  # type: ignore[attr-defined]
    token = caller.token if caller else None
    if token is not None:
        headers.update(throttle.take(token))
    if operation is None:
        return work()
    if caller is not None or not operation.auth_callbacks:
        _no_unknown_parameters(request, operation)
    if request.method in callers.SAFE:
        return work()
    if caller is not None:
        _json_only(request)
    atomic = not getattr(operation.view_func, TALKS_TO_A_DOOR, False)
    return idempotency.once(request, token, work, atomic=atomic)


def _no_unknown_parameters(request: HttpRequest, operation: Operation) -> None:
    """A filter with a typing error would otherwise quietly show, or change, everything."""
    known = {name for model in operation.models if model.__ninja_param_source__ == "query"
             for name in model.__ninja_flatten_map__}  # fmt: skip
    if unknown := sorted(set(request.GET) - known):
        raise Problem(
            422, "This address does not know all of these parameters.",
            errors=[{"where": f"query.{name}", "what": "unknown parameter"} for name in unknown],
            what_to_do=f"It takes: {', '.join(sorted(known)) or 'none'}.",
        )  # fmt: skip


def _json_only(request: HttpRequest) -> None:
    if request.body and request.content_type != "application/json":
        raise Problem(415, f"The body is said to be {request.content_type or 'of no type'}.")
