"""HTTP to the Stays external API: Basic auth, pages of 20, time-outs. Values in, values out; no models.

``origin`` is the account's whole origin, such as https://acme.stays.net (accounts live on different domains).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings

from reservations.errors import StaysError, StaysRefused
from reservations.stays.payloads import reservation_id as id_of

Json = dict[str, Any]
PAGE = 20  # default and maximum of the API
ALL_TYPES = ("reserved", "booked", "contract", "blocked", "maintenance", "canceled")


def is_configured() -> bool:
    """Whether reservations can be read again; without that, only a verified webhook body is believed."""
    return bool(settings.STAYS_BASE_URL and settings.STAYS_CLIENT_ID and settings.STAYS_CLIENT_SECRET)


class StaysClient:
    """One account. Raises StaysError for anything but an answer, StaysRefused for bad credentials."""

    def __init__(
        self, origin: str, client_id: str, client_secret: str, *, timeout: float = 15,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._http = httpx.Client(
            base_url=f"{origin.rstrip('/')}/external/v1", auth=(client_id, client_secret),
            timeout=httpx.Timeout(timeout, connect=5), headers={"Accept": "application/json"}, transport=transport,
        )  # fmt: skip

    @classmethod
    def from_settings(cls) -> StaysClient:
        return cls(settings.STAYS_BASE_URL, settings.STAYS_CLIENT_ID, settings.STAYS_CLIENT_SECRET)

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

    def search(self, start: date, end: date, *, date_type: str = "included") -> Iterator[Json]:
        """Short objects of all six types between two dates, page by page, in no particular order, each once."""
        query: list[tuple[str, str | int | float | bool | None]] = [
            ("from", start.isoformat()), ("to", end.isoformat()), ("dateType", date_type), ("limit", PAGE),
        ]  # fmt: skip
        query += [("type", kind) for kind in ALL_TYPES]
        seen: set[str] = set()
        skip = 0
        while True:
            page = self._page([*query, ("skip", skip)])
            fresh = [row for row in page if id_of(row) not in seen]
            seen.update(id_of(row) for row in fresh)
            yield from fresh
            if len(page) < PAGE or not fresh:  # a server that ignores ``skip`` would go on for ever
                return
            skip += PAGE

    def _page(self, query: list[tuple[str, str | int | float | bool | None]]) -> list[Json]:
        response = self._get("/booking/reservations", query)
        page = response.json() if response.status_code != 404 else None
        if not isinstance(page, list) or not all(isinstance(row, dict) for row in page):
            raise StaysError("Stays answered the search with something that is not a list of reservations.")
        return page

    def _one(self, path: str) -> Json | None:
        response = self._get(path)
        if response.status_code == 404:
            return None
        answer = response.json()
        if not isinstance(answer, dict):
            raise StaysError(f"Stays answered {path} with something that is not an object.")
        return answer

    def _get(self, path: str, query: list[tuple[str, str | int | float | bool | None]] | None = None) -> httpx.Response:
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
            raise StaysError(f"Stays answered {response.status_code} to {path}; it is read again later.") from None
        except httpx.HTTPError as error:
            raise StaysError(f"Stays could not be reached ({type(error).__name__}); it is read again later.") from None
        except (ValueError, RecursionError):
            raise StaysError(f"Stays answered {path} with something that is not JSON.") from None
        return response
