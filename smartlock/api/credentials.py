"""``/api/credentials``: the PINs without their digits: what is wanted, what was asked, what is proven."""

from __future__ import annotations

from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from ninja import Path, Query, Router

from locks.models import Credential
from scheduler import clock
from smartlock.api import stays
from smartlock.api.callers import Token
from smartlock.api.problems import Problem
from smartlock.api.reservations import the
from smartlock.api.shapes import ABSENT, CredentialState, Filter, Instant, Name, Number, Page, page

router = Router(tags=["credentials"])
READ = Token("credentials:read")


class CredentialFilter(Filter):
    reservation: Name = ABSENT
    lock: Number = ABSENT
    state: list[CredentialState] = []
    valid_at: Instant = ABSENT

    def rows(self) -> QuerySet[Credential]:
        found = Credential.objects.select_related("lock", "reservation__accommodation").order_by("-pk")
        if self.reservation:
            found = found.filter(reservation=the(self.reservation))
        if self.lock:
            found = found.filter(lock_id=self.lock)
        if self.state:
            found = found.filter(state__in=self.state)
        if self.valid_at:
            found = found.filter(Q(starts_at__lte=self.valid_at, ends_at__gt=self.valid_at))
        return found


@router.get("", response=Page[stays.CredentialRow], auth=READ, summary="List PINs, without digits")
def list_credentials(request: HttpRequest, chosen: Query[CredentialFilter]) -> Any:
    found, beside = page(chosen.rows(), chosen)
    return {"items": [shown(one) for one in found], **beside}


@router.get("/{int:credential_id}", response=stays.CredentialRow, auth=READ, summary="One PIN, without digits")
def get_credential(request: HttpRequest, credential_id: Annotated[Number, Path()]) -> Any:
    rows = Credential.objects.select_related("lock", "reservation__accommodation")
    one = rows.filter(pk=credential_id).first()
    if one is None:
        raise Problem(404, f"No credential has the number {credential_id}.")
    return shown(one)


def shown(one: Credential) -> dict[str, Any]:
    zone = one.reservation.accommodation.timezone if one.reservation else None
    return stays.credential(one, zone=zone, now=clock.now())
