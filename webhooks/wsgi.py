"""The door as plain WSGI, in front of Django: a delivery needs no session, no user, no language and no form token.

Django's own way in (middleware, request, response, signals) costs more processor time than storing the event does.
Whatever is not a delivery, and any delivery over plain HTTP where HTTPS is demanded, goes to Django as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError

from webhooks import door
from webhooks.sources import SOURCES, Source

log = structlog.get_logger(__name__)
Environ = dict[str, Any]
Start = Callable[..., object]
App = Callable[[Environ, Any], Iterable[bytes]]
PREFIX = "/webhooks/"


def before(django: App) -> App:
    """``django`` with the door in front of it."""

    def application(environ: Environ, start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith(PREFIX) and _is_safe(environ):
            source, token = _addressed(environ["PATH_INFO"])
            if source is not None:
                return _answer(source, token, environ, start)
        return django(environ, start)

    return application


def _is_safe(environ: Environ) -> bool:
    """Django's SecurityMiddleware answers what comes over plain HTTP although it must not."""
    if not settings.SECURE_SSL_REDIRECT:
        return True
    header, value = settings.SECURE_PROXY_SSL_HEADER or ("", "")
    return bool(environ["wsgi.url_scheme"] == "https" or (header and environ.get(header) == value))


def _addressed(path: str) -> tuple[Source | None, str]:
    """``/webhooks/<source>[/<token>][/]``; WSGI hands a path over as Latin-1."""
    name, _, token = path[len(PREFIX) :].removesuffix("/").partition("/")
    if "/" in token:
        return None, ""
    return SOURCES.get(name), token.encode("latin-1", "replace").decode("utf-8", "replace")


def _answer(source: Source, token: str, environ: Environ, start: Start) -> Iterable[bytes]:
    try:
        remote = environ.get("REMOTE_ADDR") or ""
        status, answer = door.knock(source, token, _headers(environ), partial(_body, environ), remote)
    except Exception as error:  # the database is away: the sender is told, and may try again
        is_away = isinstance(error, (OperationalError, InterfaceError))  # no news, and many knock meanwhile
        log.error("webhook.not_stored", reason=type(error).__name__, exc_info=not is_away)
        status, answer = 503, {"error": "not_stored", "detail": "It could not be stored. Try again later."}
    content = orjson.dumps(answer)
    start(
        _status_line(status),
        [
            ("Content-Type", "application/json"), ("Content-Length", str(len(content))),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )  # fmt: skip
    return [content]


@lru_cache(maxsize=64)
def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _body(environ: Environ) -> bytes:
    given = environ.get("CONTENT_LENGTH") or ""
    chunked = not given and "HTTP_TRANSFER_ENCODING" in environ
    length = door.LIMIT if chunked else door.length_of(given)
    try:
        body: bytes = environ["wsgi.input"].read(length + 1 if chunked else length)
    except OSError:
        raise door.CutOff from None
    if len(body) > length:
        raise door.TooLarge
    if not chunked and len(body) < length:
        raise door.CutOff
    return body


def _headers(environ: Environ) -> dict[str, str]:
    return {name: value for key, value in environ.items() if (name := _header(key))}


@lru_cache(maxsize=1024)
def _header(key: str) -> str:
    if key.startswith("HTTP_"):
        return key[5:].replace("_", "-").lower()
    return {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}.get(key, "")
