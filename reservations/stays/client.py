"""HTTP to the Stays external API: Basic auth, pages of 20, time-outs, back-off. Values in, values out; no models.

``origin`` is the account's whole origin, such as https://acme.stays.net (accounts live on different domains).
Stays publishes no rate limit: one call at a time, and after 429, 5xx or silence a pause that grows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings

from reservations.errors import StaysError, StaysRefused
from reservations.stays.payloads import reservation_id as id_of

Json = dict[str, Any]
Query = list[tuple[str, str | int | float | bool | None]]
PATIENT = (1, 3, 9, 27)  # seconds between the tries of one call, for a poll that has time
LONGEST_PAUSE = 60  # what Stays asks for beyond that is left to the next poll
PAGE = 20  # default and maximum of the API
ALL_TYPES = ("reserved", "booked", "contract", "blocked", "maintenance", "canceled")


def is_configured() -> bool:
    """Whether reservations can be read again; without that, only a verified webhook body is believed."""
    return bool(settings.STAYS_BASE_URL and settings.STAYS_CLIENT_ID and settings.STAYS_CLIENT_SECRET)


class StaysClient:
    """One account. Raises StaysError for anything but an answer, StaysRefused for bad credentials.

    ``waits``: the pauses between tries of one call. Without them a call is tried once, and whoever made it comes again.
    """

    def __init__(
        self, origin: str, client_id: str, client_secret: str, *, timeout: float = 15, waits: Sequence[float] = (),
        transport: httpx.BaseTransport | None = None, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._waits, self._sleep = waits, sleep
        self._http = httpx.Client(
            base_url=f"{origin.rstrip('/')}/external/v1", auth=(client_id, client_secret),
            timeout=httpx.Timeout(timeout, connect=5), headers={"Accept": "application/json"}, transport=transport,
        )  # fmt: skip

    @classmethod
    def from_settings(cls, *, waits: Sequence[float] = ()) -> StaysClient:
        return cls(settings.STAYS_BASE_URL, settings.STAYS_CLIENT_ID, settings.STAYS_CLIENT_SECRET, waits=waits)

    def __enter__(self) -> StaysClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def reservation(self, reservation_id: str) -> Json | None:
        """The full object by ``_id``, short id or partner code; None when Stays does not know it (any more)."""
        return self._one(f"/booking/reservations/{quote(reservation_id, safe='')}")

    def client(self, client_id: str) -> Json | None:
        """The guest, with e-mail, phones and preferred language."""
        return self._one(f"/booking/clients/{quote(client_id, safe='')}")

    def search(self, start: date, end: date, *, date_type: str = "included", listing_id: str = "") -> Iterator[Json]:
        """Short objects of all six types between two dates, page by page, in no particular order, each once."""
        query: Query = [("from", start.isoformat()), ("to", end.isoformat()), ("dateType", date_type)]
        query += [("type", kind) for kind in ALL_TYPES]
        query += [("listingId", listing_id)] if listing_id else []
        yield from self._pages("/booking/reservations", query)

    def listings(self) -> Iterator[Json]:
        """All listings of the account, in whatever state, each once."""
        yield from self._pages("/content/listings", [])

    def booking_settings(self, listing_id: str) -> Json | None:
        """A listing's default times and more; None when Stays has none."""
        return self._one(f"/settings/listing/{quote(listing_id, safe='')}/booking")

    def _pages(self, path: str, query: Query) -> Iterator[Json]:
        seen: set[str] = set()
        skip = 0
        while True:
            page = self._page(path, [*query, ("limit", PAGE), ("skip", skip)])
            fresh = [row for row in page if id_of(row) not in seen]
            seen.update(id_of(row) for row in fresh)
            yield from fresh
            if len(page) < PAGE or not fresh:  # a server that ignores ``skip`` would go on for ever
                return
            skip += PAGE

    def _page(self, path: str, query: Query) -> list[Json]:
        response = self._get(path, query)
        page = response.json() if response.status_code != 404 else None
        if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
            raise StaysError(f"Stays answered {path} with something that is not a list of objects.")
        return page

    def _one(self, path: str) -> Json | None:
        response = self._get(path)
        if response.status_code == 404:
            return None
        answer = response.json()
        if not isinstance(answer, dict):
            raise StaysError(f"Stays answered {path} with something that is not an object.")
        return answer

    def _get(self, path: str, query: Query | None = None) -> httpx.Response:
        for wait in self._waits:
            try:
                return self._get_once(path, query)
            except StaysRefused:
                raise
            except StaysError as error:
                pause = max(wait, error.retry_after or 0)
                if pause > LONGEST_PAUSE:
                    raise
                self._sleep(pause * (1 + random.random() / 4))
        return self._get_once(path, query)

    def _get_once(self, path: str, query: Query | None) -> httpx.Response:
        try:
            response = self._http.get(path, params=httpx.QueryParams(query or []))
            if response.status_code != 404:
                response.raise_for_status()
                response.json()
        except httpx.HTTPStatusError:
            if response.status_code in (401, 403):
                raise StaysRefused(
                    f"Stays refused our API login ({response.status_code}): "
                    "check STAYS_CLIENT_ID and STAYS_CLIENT_SECRET."
                ) from None
            raise StaysError(
                f"Stays answered {response.status_code} to {path}; it is read again later.",
                retry_after=_seconds(response.headers.get("Retry-After", "")),
            ) from None
        except httpx.HTTPError as error:
            raise StaysError(f"Stays could not be reached ({type(error).__name__}); it is read again later.") from None
        except (ValueError, RecursionError):
            raise StaysError(f"Stays answered {path} with something that is not JSON.") from None
        return response


def _seconds(retry_after: str) -> float | None:
    """Retry-After, in seconds or as a date; None when it says nothing sensible."""
    if retry_after.strip().isdecimal() and retry_after.isascii():
        return float(retry_after)
    with suppress(ValueError, TypeError, OverflowError):
        at = parsedate_to_datetime(retry_after)
        return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return None
