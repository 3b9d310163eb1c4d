"""Who is asking: a token, or a person who is signed in to the admin site and only reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from ninja.security.base import AuthBase

from scheduler import clock
from smartlock.api import scopes, tokens
from smartlock.api.models import ApiToken
from smartlock.api.problems import Problem, not_signed_in
from smartlock.people.roles import CONTACTS

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Caller:
    """``actor`` is how the audit trail names it."""

    actor: str
    scopes: Collection[str]
    token: ApiToken | None = None
    sees_contacts: bool = True


def identify(request: HttpRequest) -> Caller | None:
    """None when nobody known asks. A cookie is heeded only where nothing can be changed, so no form can misuse it."""
    header = request.headers.get("Authorization", "")
    if header:
        kind, _space, text = header.partition(" ")
        token = tokens.recognise(text.strip(), now=clock.now()) if kind.lower() == "bearer" else None
        return None if token is None else Caller(f"api:{token.name}", token.scopes, token)
    if request.method in SAFE:
        return _signed_in(request)
    return None


def _signed_in(request: HttpRequest) -> Caller | None:
    user: Any = request.user
    if not (user.is_active and user.is_staff):
        return None
    allowed = [scope for scope, permission in scopes.PERMISSIONS.items() if user.has_perm(permission)]
    return Caller(user.get_username(), allowed, sees_contacts=user.has_perm(CONTACTS))


def caller_of(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


def actor(request: HttpRequest) -> str:
    return caller_of(request).actor


class Token(AuthBase):
    """Lets those pass that have the scope. The gate has found out before who it is."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: str = "") -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Caller:
        caller: Caller | None = getattr(request, "caller", None)
        if caller is None:
            raise not_signed_in(_why_not(request))
        if self.scope and not scopes.allows(caller.scopes, self.scope):
            raise Problem(403, f"{caller.actor} may not do this: the scope {self.scope} is missing.")
        return caller


def _why_not(request: HttpRequest) -> str:
    if "Authorization" in request.headers:
        return "This token is not known, has expired, or was revoked."
    if request.method not in SAFE:
        return "Changing something takes a token; being signed in to the admin site is enough for reading only."
    return "Nobody is signed in."
