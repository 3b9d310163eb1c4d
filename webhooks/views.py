"""The door where Stays knocks: check, commit, 200. Nothing here waits for Stays, Tuya, Redis or a worker."""

from __future__ import annotations

from ipaddress import ip_address

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from scheduler import clock
from webhooks import services
from webhooks.envelope import Malformed, parse
from webhooks.verification import Verdict, check_signature, is_one_of

log = structlog.get_logger(__name__)
LIMIT = 256 * 1024
CLIENT_ID_HEADER = "x-stays-client-id"


@csrf_exempt
@require_POST
def stays(request: HttpRequest, token: str = "") -> JsonResponse:
    """One delivery. 200 means: stored, and it will be processed. 4xx means: nothing was stored.

    A sender proves itself by the secret token in the address, or by a verified signature header.
    """
    if token and not is_one_of(token, settings.STAYS_WEBHOOK_TOKENS):
        return _refuse(404, "unknown_token", "This webhook address is not known. Check the token at its end.")
    try:
        length = int(request.headers.get("content-length") or 0)
        body = request.body if length <= LIMIT else None
    except (RequestDataTooBig, ValueError):
        body = None
    except UnreadablePostError:
        return _refuse(400, "cut_off", "The connection ended before the body did.")
    if body is None or len(body) > LIMIT:
        return _refuse(413, "too_large", f"The body is larger than {LIMIT // 1024} KiB.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    verdict = check_signature(headers, body, settings.STAYS_WEBHOOK_SECRETS)
    if verdict == Verdict.BAD or (not token and verdict != Verdict.VERIFIED):
        return _refuse(401, "bad_signature", "The signature is missing or wrong: sign the raw bytes with HMAC-SHA256.")
    client_id = headers.get(CLIENT_ID_HEADER, "")
    if client_id and settings.STAYS_CLIENT_ID and not is_one_of(client_id, [settings.STAYS_CLIENT_ID]):
        return _refuse(401, "wrong_client", "x-stays-client-id is not the client id of this connection.")
    try:
        envelope = parse(body)
    except Malformed as error:
        return _refuse(400, "malformed", str(error))
    event, created = services.receive(
        envelope, headers=headers, body=body, verdict=verdict, remote=_remote(request), now=clock.now()
    )
    return JsonResponse({"status": "stored" if created else "duplicate", "event": event.pk})


def _refuse(status: int, reason: str, sentence: str) -> JsonResponse:
    services.refuse(reason, now=clock.now())
    log.warning("webhook.refused", reason=reason)
    return JsonResponse({"error": reason, "detail": sentence}, status=status)


def _remote(request: HttpRequest) -> str | None:
    """The peer's address, if it is one that every database can hold (no path of a socket, no zone of a link)."""
    text = str(request.META.get("REMOTE_ADDR") or "").partition("%")[0]
    try:
        return str(ip_address(text))
    except ValueError:
        return None
