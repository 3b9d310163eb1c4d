"""From where somebody signs in. Of what proxies tell, only what our own ones added is believed."""

from __future__ import annotations

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def of(request: HttpRequest) -> str | None:
    """The caller's address: the peer's, or with ``PROXIES`` the one that the outermost of our proxies saw.

    What the caller himself wrote into X-Forwarded-For stands further left and is not looked at.
    """
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",") if settings.PROXIES else []
    chain = [*told, str(request.META.get("REMOTE_ADDR") or "")]
    address = chain[max(0, len(chain) - 1 - settings.PROXIES)].strip().partition("%")[0]
    try:
        return str(ip_address(address))
    except ValueError:
        return None
