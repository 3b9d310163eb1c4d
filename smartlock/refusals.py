"""What is refused before any page is asked: a name that is not ours, a request that cannot be read."""

from __future__ import annotations

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from smartlock.api.problems import Problem

UNKNOWN_NAME = "This server does not answer to the name in the header Host."
WHOSE_NAMES = "Use a name it has; its operator lists them in ALLOWED_HOSTS."


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``. The name itself is not repeated: it is whatever the caller wrote."""
    is_name = isinstance(exception, DisallowedHost)
    problem = Problem(400, UNKNOWN_NAME, what_to_do=WHOSE_NAMES) if is_name else Problem(400, "It cannot be read.")
    if request.path.startswith("/api/"):
        return problem.response()
    return HttpResponse(f"{problem.detail} {problem.what_to_do}\n", status=400, content_type="text/plain")
