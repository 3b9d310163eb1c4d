"""Fetches an address that a person typed in, without letting it lead anywhere it should not.

https only, the public internet only, a few redirects, a few seconds, a megabyte. The name is looked up once and the
connection goes to the very address that was checked, so a name cannot change its mind in between. An address of a feed
is a secret: no error holds it.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx
from django.conf import settings

from reservations.errors import FeedError

MOST_BYTES = 1024 * 1024
MOST_SECONDS = 20.0
MOST_REDIRECTS = 3
Resolve = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Answer:
    """``body`` is None when nothing has changed (304)."""

    body: bytes | None
    etag: str = ""
    last_modified: str = ""


def check_address(address: str) -> str:
    """The address without spaces around it. Raises FeedError when it can be no feed of ours."""
    address = address.strip()
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise FeedError("This is not an address.") from None
    plain = parts.scheme == "http" and (settings.DEBUG or settings.FEEDS_FROM_PRIVATE_NETWORKS)
    if parts.scheme != "https" and not plain:
        raise FeedError("The address must begin with https://.")
    if not host or parts.username or parts.password or not address.isprintable() or " " in address:
        raise FeedError("This is not an address.")
    return address


def resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


def fetch(
    address: str, *, headers: Mapping[str, str] | None = None, resolver: Resolve = resolve,
    transport: httpx.BaseTransport | None = None, clock: Callable[[], float] = time.monotonic,
) -> Answer:  # fmt: skip
    """Read ``address``. Raises FeedError."""
    until = clock() + MOST_SECONDS
    timeout = httpx.Timeout(10, connect=5)
    try:
        with httpx.Client(timeout=timeout, trust_env=False, transport=transport) as client:
            for _ in range(MOST_REDIRECTS + 1):
                request = _request(client, check_address(address), headers or {}, resolver)
                response = client.send(request, stream=True)
                try:
                    if response.is_redirect and response.has_redirect_location:
                        address = urljoin(address, response.headers["location"])
                        continue
                    return _answer(response, until, clock)
                finally:
                    response.close()
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise FeedError(f"The feed could not be reached ({type(error).__name__}).") from None
    except OSError:
        raise FeedError("The name of the feed's server is not known.") from None
    raise FeedError("The feed leads from one address to the next without end.")


def _request(client: httpx.Client, address: str, headers: Mapping[str, str], resolver: Resolve) -> httpx.Request:
    url = httpx.URL(address)
    port = url.port or (443 if url.scheme == "https" else 80)
    found = resolver(url.host, port)
    if not found:
        raise FeedError("The name of the feed's server is not known.")
    if not settings.FEEDS_FROM_PRIVATE_NETWORKS and not all(_is_public(ip) for ip in found):
        raise FeedError("The address leads into a private network; that is not allowed here.")
    # To the address that was checked; the certificate is still that of the name.
    return client.build_request(
        "GET", url.copy_with(host=found[0]),
        headers={"Host": url.netloc.decode("ascii"), "Accept": "text/calendar", "User-Agent": "SmartLock", **headers},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )  # fmt: skip


def _answer(response: httpx.Response, until: float, clock: Callable[[], float]) -> Answer:
    if response.status_code == 304:
        return Answer(None)
    if response.status_code != 200:
        raise FeedError(f"The feed answered {response.status_code}.")
    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise FeedError(f"The feed is larger than {MOST_BYTES // 1024} KiB.")
        if clock() > until:
            raise FeedError(f"The feed took longer than {MOST_SECONDS:.0f} s.")
    return Answer(bytes(body), response.headers.get("etag", "")[:200], response.headers.get("last-modified", "")[:100])


def _is_public(text: str) -> bool:
    """Also not by way of IPv6: addresses that wrap one of the old kind count as what they wrap."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return address.is_global and not address.is_multicast
