"""The net under the webhooks: read stays from Stays and save what is different.

A failing or shrunken answer never cancels a stay: what the search does not show is asked for one by one. How such a
walk is begun, cut off and taken up again is told in ``reservations.runs``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from reservations import services
from reservations.errors import BadReservation, GuestUnread, StaysError, StaysRefused, UnknownListing
from reservations.models import Reservation
from reservations.stays.client import StaysClient
from reservations.stays.payloads import identifier, parse_reservation, reservation_id

log = structlog.get_logger(__name__)
Clock = Callable[[], datetime]
Tell = Callable[[int, int, str], None]  # so many of so many, and which one
SUSPICIOUS = 3  # so many stays, and most of those we have, unknown at once: the account is wrong, not the stays
AWAY = 3  # so many stays in a row that cannot be read: it is not the stays
# The search tells dates, type and unit, but nothing of the guest; so a stay is read whole every so often all the same.
READ_WHOLE_EVERY = timedelta(hours=6)


@dataclass
class Result:
    """What a sync found. ``problems`` are sentences for the operator, ``changes`` what a dry run would have done."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    gone: int = 0
    problems: list[str] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__}


def read_again(client: StaysClient, external_id: str, *, now: datetime) -> services.Saved | None:
    """Read one reservation with its guest and save it. None when Stays does not have it.

    Raises GuestUnread after saving when only the guest's contacts could not be read: the door comes first.
    """
    payload = client.reservation(external_id)
    if payload is None:
        return None
    guest, trouble = _guest(client, payload)
    saved = services.save_facts(parse_reservation(payload, guest), facts_at=now)
    if trouble is not None:
        raise GuestUnread(f"The guest's contacts were not read: {trouble}", saved, retry_after=trouble.retry_after)
    return saved


def sync(
    client: StaysClient, start: date, end: date, *, now: Clock, read_since: datetime | None = None, full: bool = False,
    listing_id: str = "", dry_run: bool = False, on_progress: Tell = lambda _done, _total, _text: None,
) -> Result:  # fmt: skip
    """Bring our reservations between two dates in line with Stays. Raises StaysError when it cannot be read.

    A single stay that cannot be read is a problem in the result, and stays as it is.

    A stay that was read whole after ``read_since`` and of which the search tells nothing new is not read again;
    ``full`` makes that the beginning of this walk. ``on_progress`` is told how far it is before each stay and at the
    end.
    """
    began = now()
    walk = _Walk(client, now, read_since or began, read_since or (began if full else began - READ_WHOLE_EVERY), dry_run)
    found = list(client.search(start, end, listing_id=listing_id))
    seen = {reservation_id(short) for short in found}
    for short in found:
        on_progress(walk.result.seen, len(found), name_of(short))
        walk.result.seen += 1
        with walk.surviving(name_of(short)):
            walk.save(short)
    expected = [
        stay for stay in _expected(start, end) if not listing_id or stay.accommodation.external_id == listing_id
    ]
    missing = [stay for stay in expected if stay.external_id not in seen]
    gone = []
    for number, stay in enumerate(missing):
        on_progress(len(found) + number, len(found) + len(missing), str(stay))
        with walk.surviving(_title(stay)):
            if walk.is_gone(stay):
                gone.append(stay)
    on_progress(len(found) + len(missing), len(found) + len(missing), "")
    walk.end(gone, expected)
    return walk.result


@dataclass
class _Walk:
    client: StaysClient
    now: Clock
    began: datetime
    read_since: datetime
    dry_run: bool
    result: Result = field(default_factory=Result)
    unread: int = 0  # one after the other

    @contextmanager
    def surviving(self, name: str) -> Iterator[None]:
        """One stay that cannot be read keeps nobody from reading the others; several in a row are Stays' silence."""
        try:
            yield
        except StaysRefused:
            raise
        except StaysError as problem:
            self.unread += 1
            if self.unread >= AWAY:
                raise
            self.result.problems.append(f"{name}: {problem}")
        else:
            self.unread = 0

    def save(self, short: dict[str, Any]) -> None:
        """One stay that the search, or a question about it, has shown."""
        if not reservation_id(short):
            self.result.problems.append("A reservation has no usable _id.")
            return
        known = services.find(reservation_id(short))
        if known is not None and self._was_read(known) and self._tells_nothing_new(short):
            return
        try:
            if self.dry_run:
                self._compare(short)
                return
            saved = read_again(self.client, reservation_id(short), now=self.now())
        except GuestUnread as problem:
            self.result.problems.append(f"{name_of(short)}: {problem}")
            saved = problem.saved
        except (BadReservation, UnknownListing) as problem:
            self.result.problems.append(f"{name_of(short)}: {problem}")
            return
        if saved is not None:
            self.result.created += saved.created
            self.result.changed += bool(saved.changed) and not saved.created

    def is_gone(self, stay: Reservation) -> bool:
        """Absent from the list is no proof. Only two answers of "unknown" in a row mean that it is gone."""
        if (there := self.client.reservation(stay.external_id)) is not None:
            self.save(there)
            return False
        return self.client.reservation(stay.external_id) is None

    def end(self, gone: list[Reservation], expected: list[Reservation]) -> None:
        if len(gone) >= SUSPICIOUS and len(gone) > len(expected) / 2:
            self.result.problems.append(
                f"Stays knows nothing of {len(gone)} of {len(expected)} stays we have, so none of them was ended: "
                "check that STAYS_BASE_URL and STAYS_CLIENT_ID are those of the right account."
            )
            return
        for stay in gone:
            self.result.gone += 1
            if self.dry_run:
                self.result.changes.append({"stay": _title(stay), "what": "gone", "fields": {}})
            else:
                services.end(stay, Reservation.Status.DELETED, facts_at=self.now(), actor="sync")

    def _was_read(self, known: Reservation) -> bool:
        """Lately, and with its guest: one who cannot be reached at all is asked for each time."""
        reachable = known.guest_email or known.guest_phone or not known.is_confirmed() or known.guest_erased_at
        return known.facts_at >= (self.read_since if reachable else max(self.read_since, self.began))

    def _tells_nothing_new(self, short: dict[str, Any]) -> bool:
        try:
            return not services.preview(parse_reservation(short), now=self.now()).changes
        except (BadReservation, UnknownListing):
            return False

    def _compare(self, short: dict[str, Any]) -> None:
        payload = self.client.reservation(reservation_id(short))
        if payload is None:
            return
        guest, _trouble = _guest(self.client, payload)
        wanted = services.preview(parse_reservation(payload, guest), now=self.now())
        if not wanted.changes:
            return
        self.result.created += wanted.known is None
        self.result.changed += wanted.known is not None
        self.result.changes.append(
            {
                "stay": _title(wanted.known) if wanted.known else name_of(short),
                "what": "changed" if wanted.known else "new",
                "fields": {name: _shown(name, *values) for name, values in wanted.changes.items()},
            }
        )


def _guest(client: StaysClient, payload: dict[str, Any]) -> tuple[dict[str, Any] | None, StaysError | None]:
    """The client object, or why it could not be read. A refused login is nobody's guest but everybody's trouble."""
    guest_id = identifier(payload, "_idclient")
    if not guest_id:
        return None, None
    try:
        return client.client(guest_id), None
    except StaysRefused:
        raise
    except StaysError as error:
        return None, error


def _shown(name: str, ours: object, theirs: object) -> list[str]:
    """A difference in two words. What a guest is called and how to reach them stays out of logs and scripts."""
    if name.startswith("guest"):
        return ["set" if ours else "", "set" if theirs else ""]
    return ["" if value is None else str(value) for value in (ours, theirs)]


def _title(stay: Reservation) -> str:
    return stay.short_id or stay.external_id


def name_of(short: dict[str, Any]) -> str:
    return str(short.get("id") or reservation_id(short))


def _expected(start: date, end: date) -> Iterator[Reservation]:
    """Stays we believe in that the search should have shown."""
    yield from (
        Reservation.objects.filter(source=Reservation.Source.STAYS, check_in_date__lte=end, check_out_date__gte=start)
        .exclude(status__in=[Reservation.Status.CANCELED, Reservation.Status.DELETED])
        .select_related("accommodation")
    )
