"""The iCal feed of each listing, in the shape of Airbnb's: what was booked there is "Reserved", all else is closed.

``GET /sandbox/stays/feeds/<listing>.ics``; ``?trouble=`` makes it ill: empty, cut, html, huge, loop.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.stays_account import Reservation, find_listing
from sandbox.store import Store

HEAD = "BEGIN:VCALENDAR\r\nPRODID:-//Airbnb Inc//Hosting Calendar 1.0//EN\r\nCALSCALE:GREGORIAN\r\nVERSION:2.0\r\n"
TAIL = "END:VCALENDAR\r\n"


class StaysFeeds:
    def __init__(self, store: Store) -> None:
        self.store = store

    def register(self, app: Flask) -> None:
        app.add_url_rule("/sandbox/stays/feeds/<name>.ics", "feed", self.feed)

    def feed(self, name: str) -> AnyResponse:
        with self.store.session() as (world, now):
            listing = find_listing(name)
            today = datetime.fromtimestamp(now, UTC).date().isoformat()
            shown = [
                event(reservation)
                for reservation in world.account.reservations.values()
                if reservation.listing == listing.key
                and reservation.type not in ("canceled", "reserved")
                and reservation.check_out_date >= today
            ]
        return _ill(HEAD, shown) or _answer(HEAD + "".join(shown) + TAIL)


def event(reservation: Reservation) -> str:
    """Whole days; the check-out day is exclusive. No name and no times."""
    digest = hashlib.sha256(reservation.key.encode()).hexdigest()
    booked = reservation.partner_code.startswith("HM") and reservation.type in ("booked", "contract")
    lines = [
        "BEGIN:VEVENT",
        f"DTEND;VALUE=DATE:{reservation.check_out_date.replace('-', '')}",
        f"DTSTART;VALUE=DATE:{reservation.check_in_date.replace('-', '')}",
        f"UID:{digest[:12]}-{digest[12:44]}@airbnb.com",
    ]
    if booked:
        address = f"https://www.airbnb.com/hosting/reservations/details/{reservation.partner_code}"
        lines += [f"DESCRIPTION:Reservation URL: {address}\\nPhone", "  Number (Last 4 Digits): 0000"]
    lines += [f"SUMMARY:{'Reserved' if booked else 'Airbnb (Not available)'}", "END:VEVENT"]
    return "\r\n".join(lines) + "\r\n"


def _answer(text: str) -> Response:
    answer = Response(text, content_type="text/calendar; charset=utf-8")
    answer.set_etag(hashlib.sha256(text.encode()).hexdigest()[:16])
    answer.make_conditional(request)
    return answer


def _ill(head: str, events: list[str]) -> AnyResponse | None:
    trouble = request.args.get("trouble", "")
    if trouble == "loop":
        return redirect(request.url)
    texts = {
        "empty": head + TAIL,
        "cut": (head + "".join(events) + TAIL)[: len(head) + sum(map(len, events)) // 2],
        "html": "<html>Please log in</html>",
        "huge": head + "X-FILL:" + "x" * 2_000_000 + "\r\n" + TAIL,
    }
    return Response(texts[trouble], content_type="text/calendar") if trouble in texts else None
