"""The door as a Django view: what ``runserver``, the test client and anything that is not plain WSGI meet."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from webhooks import door
from webhooks.sources import SOURCES


@csrf_exempt
def receive(request: HttpRequest, source: str, token: str = "") -> JsonResponse:
    if request.method != "POST":
        return JsonResponse(
            {"error": "not_post", "detail": f"Events are sent here with POST, not with {request.method}."}, status=405,
            headers={"Allow": "POST"},
        )  # fmt: skip
    headers = {name.lower(): value for name, value in request.headers.items()}
    remote = str(request.META.get("REMOTE_ADDR") or "")
    status, answer = door.knock(SOURCES[source], token, headers, partial(_body, request), remote)
    return JsonResponse(answer, status=status)


def _body(request: HttpRequest) -> bytes:
    door.length_of(request.headers.get("content-length") or "")
    try:
        return request.body
    except RequestDataTooBig:
        raise door.TooLarge from None
    except UnreadablePostError:
        raise door.CutOff from None
