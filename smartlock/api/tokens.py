"""Making, recognising and revoking the keys of the API."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from smartlock.api import scopes
from smartlock.api.models import ApiToken
from smartlock.audit.services import record

PREFIX = "slk_"
SHOWN = 8  # characters that tell tokens apart in a list
USED_EVERY = timedelta(minutes=1)  # reading should not cost a write each time


@transaction.atomic
def create(
    name: str, wanted: Iterable[str], *, now: datetime, actor: str, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token and its text, which nobody will ever see again. Raises ValueError in a sentence."""
    granted = scopes.expand(wanted)
    name = name.strip()
    if not granted:
        raise ValueError("A token without a scope may do nothing: name at least one.")
    if not name or len(name) > 60 or not name.isprintable():
        raise ValueError("A token needs a name of 1 to 60 printable characters.")
    if expires_at is not None and expires_at <= now:
        raise ValueError("This expiry is over already.")
    if ApiToken.objects.filter(name=name).exists():
        raise ValueError(f"There is a token called {name!r} already: choose another name, or delete it first.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name, hash=_hash(text), hint=text[:SHOWN], scopes=granted, expires_at=expires_at, created_at=now,
        created_by=actor,
    )  # fmt: skip
    record("token.created", f"token:{token.pk}", actor=actor, summary=name, scopes=granted)
    return token, text


def recognise(text: str, *, now: datetime) -> ApiToken | None:
    """The token of this text, if it is still valid. 256 random bits need no slow hash."""
    token = ApiToken.objects.filter(hash=_hash(text)).first()
    if token is None or not token.is_valid(now):
        return None
    if token.last_used_at is None or now - token.last_used_at >= USED_EVERY:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - USED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


@transaction.atomic
def revoke(token: ApiToken, *, now: datetime, actor: str) -> bool:
    """From now on it opens nothing; the row stays, because the audit trail names it. False when it was before."""
    revoked = ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now)
    if revoked:
        record("token.revoked", f"token:{token.pk}", actor=actor, summary=token.name)
    return bool(revoked)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
