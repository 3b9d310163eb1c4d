"""An address that somebody typed in leads to a feed, or nowhere; and no error tells its secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import httpx
import pytest
from pytest_django import Settings

from reservations.errors import FeedError
from reservations.fetching import Answer, check_address, fetch

SECRET = "s3cr3t-token"
URL = f"https://www.airbnb.example/calendar/ical/1.ics?s={SECRET}"
Handler = Callable[[httpx.Request], httpx.Response]


def get(
    handler: Handler, *, url: str = URL, ips: tuple[str, ...] = ("93.184.216.34",),
    clock: Callable[[], float] = lambda: 0.0, headers: dict[str, str] | None = None,
) -> Answer:  # fmt: skip
    return fetch(
        url,
        headers=headers,
        resolver=lambda _host, _port: list(ips),
        transport=httpx.MockTransport(handler),
        clock=clock,
    )


def fine(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"BEGIN:VCALENDAR", headers={"ETag": '"1"', "Last-Modified": "yesterday"})


def test_the_connection_goes_to_the_address_that_was_checked_under_its_own_name() -> None:
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return fine(request)

    assert get(note, headers={"If-None-Match": '"0"'}) == Answer(b"BEGIN:VCALENDAR", '"1"', "yesterday")
    request = seen[0]
    assert (request.url.host, request.headers["host"]) == ("93.184.216.34", "www.airbnb.example")
    assert request.extensions["sni_hostname"] == "www.airbnb.example"
    assert request.headers["if-none-match"] == '"0"'


def test_unchanged_is_told_as_such() -> None:
    assert get(lambda _request: httpx.Response(304)).body is None


@pytest.mark.parametrize(
    "url",
    ["http://www.airbnb.example/x", "ftp://x/y", "file:///etc/passwd", "", "www.airbnb.example", "https://",
     "https://user:word@www.airbnb.example/", "https://www.airbnb.example/a b", "https://[::1", "https://x:99999/"],
)  # fmt: skip
def test_an_address_must_be_https_and_plain(url: str) -> None:
    with pytest.raises(FeedError):
        check_address(url)


@pytest.mark.parametrize(
    "ip",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
     "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "nonsense"],
)  # fmt: skip
def test_private_networks_are_closed_even_when_one_of_several_addresses_is_public(ip: str) -> None:
    with pytest.raises(FeedError, match="private"):
        get(fine, ips=("93.184.216.34", ip))


def test_a_redirect_into_a_private_network_or_to_http_is_not_followed() -> None:
    for target in ("http://www.airbnb.example/x", "file:///etc/passwd"):
        answer = httpx.Response(302, headers={"Location": target})
        with pytest.raises(FeedError, match="https"):
            get(lambda _request, answer=answer: answer)  # type: ignore[misc]
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if host == "inside.example" else ["93.184.216.34"]

    with pytest.raises(FeedError, match="private"):
        fetch(
            URL, resolver=resolver,
            transport=httpx.MockTransport(
                lambda _request: httpx.Response(302, headers={"Location": "https://inside.example/"})
            ),
        )  # fmt: skip
    assert asked == ["www.airbnb.example", "inside.example"]


def test_a_few_redirects_are_followed_and_no_more() -> None:
    def twice(request: httpx.Request) -> httpx.Response:
        left = int(request.url.params.get("left", "2"))
        return httpx.Response(301, headers={"Location": f"/x?left={left - 1}"}) if left else fine(request)

    assert get(twice).body == b"BEGIN:VCALENDAR"
    with pytest.raises(FeedError, match="without end"):
        get(lambda _request: httpx.Response(302, headers={"Location": "/again"}))


def test_size_and_time_are_limited() -> None:
    with pytest.raises(FeedError, match="larger"):
        get(lambda _request: httpx.Response(200, content=b"x" * 1_100_000))

    def drip() -> Iterator[bytes]:
        while True:
            yield b"x"

    ticks = count(0, 7)
    with pytest.raises(FeedError, match="longer"):
        get(lambda _request: httpx.Response(200, content=drip()), clock=lambda: float(next(ticks)))


@pytest.mark.parametrize("status", [400, 403, 404, 410, 429, 500])
def test_another_status_is_no_feed(status: int) -> None:
    with pytest.raises(FeedError, match=str(status)):
        get(lambda _request: httpx.Response(status))


def test_no_error_tells_the_secret() -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {request.url}", request=request)

    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError(f"no such name for {URL}")

    tries: list[Callable[[], object]] = [
        lambda: get(broken),
        lambda: get(lambda _request: httpx.Response(500)),
        lambda: get(fine, ips=("127.0.0.1",)),
        lambda: fetch(URL, resolver=unknown),
        lambda: check_address(URL.replace("https", "ftp")),
    ]
    for one in tries:
        with pytest.raises(FeedError) as error:
            one()
        assert SECRET not in str(error.value)
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__ or error.value.__context__ is None


def test_the_own_network_is_open_when_the_setting_says_so(settings: Settings) -> None:
    settings.FEEDS_FROM_PRIVATE_NETWORKS = True
    assert get(fine, url="http://feeds.example/x", ips=("127.0.0.1",)).body
