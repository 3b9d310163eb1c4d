"""Every refusal in one shape, ``application/problem+json`` (RFC 9457), with what to do about it.

{"type": "/api/docs#not-found", "title": "Not found", "status": 404, "detail": "…", "what_to_do": "…"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja.errors import HttpError, ValidationError

from locks.errors import Configuration, DoorError
from reservations.errors import BadReservation
from scheduler.recurring.errors import RecurringError
from smartlock.api.scopes import ALL

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"

# What a person or a script can do about each kind, unless the one who raises it knows better.
REMEDIES = {
    "bad-request": "Send one JSON value in UTF-8; look at the example in /api/docs.",
    "not-signed-in": "Send 'Authorization: Bearer <token>'. `manage.py create_token NAME --scope read` makes one.",
    "not-allowed": f"Make a token that has the scope; there are: {', '.join(ALL)}.",
    "not-found": "Look for it in the list of its kind. /api/openapi.json names all addresses; none ends in a slash.",
    "method-not-allowed": "The header Allow names the methods of this address.",
    "conflict": "Read it again and decide anew.",
    "too-large": "A body may have 256 KiB.",
    "wrong-media-type": "Send 'Content-Type: application/json'.",
    "invalid": "Correct what 'errors' names; the schema is in /api/docs.",
    "too-many-requests": "Wait as many seconds as the header Retry-After says.",
    "failed": "Try again. If it stays, look for the time of this answer in the log of the web server.",
    "door-silent": "Try again in a minute; the page of the lock says since when it is silent.",
}
KINDS = {
    400: "bad-request", 401: "not-signed-in", 403: "not-allowed", 404: "not-found", 405: "method-not-allowed",
    409: "conflict", 413: "too-large", 415: "wrong-media-type", 422: "invalid", 429: "too-many-requests",
    500: "failed", 503: "door-silent",
}  # fmt: skip


class Problem(Exception):
    """A refusal on purpose. ``kind`` is the end of its ``type``; the status gives it unless it is named."""

    def __init__(
        self, status: int, detail: str, *, what_to_do: str = "", kind: str = "",
        headers: Mapping[str, str] | None = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status = status
        self.kind = kind or KINDS[status]
        self.detail = detail
        self.what_to_do = what_to_do or REMEDIES.get(self.kind) or REMEDIES[KINDS[status]]
        self.headers = dict(headers or {})
        self.more = more

    def response(self) -> HttpResponse:
        body = {
            "type": f"/api/docs#{self.kind}", "title": HTTPStatus(self.status).phrase, "status": self.status,
            "detail": self.detail, "what_to_do": self.what_to_do, **self.more,
        }  # fmt: skip
        text = json.dumps(body, ensure_ascii=False, default=str)
        return HttpResponse(text, status=self.status, content_type=MEDIA_TYPE, headers=self.headers)


def not_signed_in(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="SmartLock"'})


def of(error: Exception, request: HttpRequest) -> Problem:
    """The problem an exception amounts to. One that nobody foresaw goes to the log and tells the caller nothing."""
    match error:
        case Problem():
            return error
        case ValidationError():
            return Problem(422, "The request is not of the form that is wanted.", errors=_faults(error))
        case HttpError():
            status = error.status_code if error.status_code in KINDS else 400
            return not_signed_in(str(error)) if status == 401 else Problem(status, str(error))
        case Http404():
            return Problem(404, str(error) or "There is nothing here.")
        case RequestDataTooBig():
            return Problem(413, "The body is too large.")
        case UnreadablePostError():
            return Problem(400, "The connection ended before the body did.")
        case BadReservation():
            return Problem(409, str(error), kind="impossible-stay", what_to_do="Choose other dates, times or unit.")
        case RecurringError():
            return Problem(409, str(error), kind="impossible-job", what_to_do=error.remedy)
        case Configuration():
            return Problem(503, str(error), kind="not-configured", what_to_do="Complete the settings.")
        case DoorError():
            return Problem(503, str(error))
    log.error("api.failed", method=request.method, path=request.path, exc_info=error)
    return Problem(500, "Something went wrong here; nothing was changed.")


def of_response(response: HttpResponse) -> Problem:
    """For the few refusals that come as a ready answer, such as Django's 405."""
    headers = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
    status = response.status_code if response.status_code in KINDS else 400
    detail = "This address does not know that method." if status == 405 else "The request was refused."
    return Problem(status, detail, headers=headers)


def _faults(error: ValidationError) -> list[dict[str, str]]:
    """Where and what; never the value, which may be somebody's secret."""
    return [{"where": _where(fault["loc"]), "what": fault["msg"]} for fault in error.errors]


def _where(place: tuple[str | int, ...]) -> str:
    """``body.filter.ids.0``; ninja names the argument of the function, too."""
    parts = place[:1] + place[2:] if place[:2] == ("body", "body") else place
    return ".".join(map(str, parts))
