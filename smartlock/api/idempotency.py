"""A write that is sent twice is done once: the answer to an ``Idempotency-Key`` is kept and given again for 24 hours.

The claim is committed first, so that a second request with the same key sees it; then the work and its answer are
committed together, so that no crash can come in between. A refusal changed nothing and is not kept: the same key may
be used again for a corrected request.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from scheduler import clock
from smartlock.api.models import ApiToken, StoredAnswer
from smartlock.api.problems import Problem

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=5)  # whoever claimed it longer ago than this has died
KEY = re.compile(r"[\x21-\x7e]{1,255}")
HEADER = "Idempotency-Key"
Work = Callable[[], HttpResponse]


def once(request: HttpRequest, token: ApiToken | None, work: Work, *, atomic: bool) -> HttpResponse:
    """Do ``work`` in one transaction, unless its key was used before. ``atomic=False`` is for what talks to a lock."""
    key = request.headers.get(HEADER)
    if key is None or token is None:
        return _done(work, atomic=atomic)
    if not KEY.fullmatch(key):
        raise Problem(422, f"{HEADER} takes 1 to 255 visible ASCII characters.", errors=[
            {"where": f"header.{HEADER}", "what": "not of the form that is wanted"}
        ])  # fmt: skip
    claim = _claim(token, key, _fingerprint(request), clock.now())
    if claim.status is not None:
        return _replayed(claim)
    try:
        response = _done(work, atomic=atomic, keep_in=claim)
    except BaseException:
        claim.delete()
        raise
    if response.status_code >= 400:
        claim.delete()
    return response


def forget(*, now: datetime) -> int:
    """Delete what is older than 24 hours."""
    return StoredAnswer.objects.filter(started_at__lte=now - KEPT).delete()[0]


def _done(work: Work, *, atomic: bool, keep_in: StoredAnswer | None = None) -> HttpResponse:
    if not atomic:
        response = work()
        _keep(keep_in, response)
        return response
    with transaction.atomic():
        response = work()
        if response.status_code >= 400:
            transaction.set_rollback(True)
        else:
            _keep(keep_in, response)
    return response


def _keep(claim: StoredAnswer | None, response: HttpResponse) -> None:
    if claim is not None and response.status_code < 400:
        StoredAnswer.objects.filter(pk=claim.pk).update(status=response.status_code, body=response.content)


def _claim(token: ApiToken, key: str, fingerprint: str, now: datetime) -> StoredAnswer:
    """A row of our own to be filled, or the one with the answer. Raises Problem when neither can be had."""
    outdated = Q(started_at__lte=now - KEPT) | Q(status__isnull=True, started_at__lte=now - ABANDONED)
    StoredAnswer.objects.filter(outdated, token=token, key=key).delete()
    try:
        with transaction.atomic():
            return StoredAnswer.objects.create(token=token, key=key, fingerprint=fingerprint, started_at=now)
    except IntegrityError:
        known = StoredAnswer.objects.filter(token=token, key=key).first()
    if known is not None and known.fingerprint != fingerprint:
        raise Problem(
            422, f"This {HEADER} was used for another request.", kind="key-reused",
            what_to_do="Use a new key for each thing you want done, and the same one only to send it again.",
        )  # fmt: skip
    if known is None or known.status is None:
        raise Problem(
            409, f"A request with this {HEADER} is being worked on.", kind="key-in-use", headers={"Retry-After": "1"},
            what_to_do="Send it again in a second: you will get its answer.",
        )  # fmt: skip
    return known


def _fingerprint(request: HttpRequest) -> str:
    parts = (str(request.method).encode(), request.get_full_path().encode(), request.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _replayed(known: StoredAnswer) -> HttpResponse:
    assert known.status is not None
    return HttpResponse(
        bytes(known.body), status=known.status, content_type="application/json; charset=utf-8",
        headers={"Idempotent-Replayed": "true"},
    )  # fmt: skip
