"""iCal feeds as a poor man's source: fetched every half hour, and saved by the same service as every other word.

What Stays says of the same stay wins. A stay ends only when two good readings in a row do not have it, before its day
has come: feeds drop what has begun, and nobody in house is put out for that.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from reservations import fetching, ical, services
from reservations.errors import BadReservation, FeedError
from reservations.facts import ReservationFacts
from reservations.models import Accommodation, Feed, FeedEntry, Reservation
from reservations.signals import stay_vanished
from reservations.times import window
from reservations.twins import stays_twin
from smartlock.audit.services import record

log = structlog.get_logger(__name__)
Status = Reservation.Status
ABSENCES = 2
APART = timedelta(minutes=10)  # two readings of one hiccup are one
SUSPICIOUS = 3  # so many stays, and more than half of them, gone at once: the feed is not well


@dataclass
class Result:
    """What reading a feed came to; ``error`` says why nothing did."""

    seen: int = 0
    created: int = 0
    changed: int = 0
    ended: int = 0
    joined: int = 0  # told by Stays as well
    problems: list[str] = field(default_factory=list)
    error: str = ""


def seal(address: str) -> bytes:
    return _box().encrypt(address.encode())


def hint(address: str) -> str:
    """Enough for a person to tell feeds apart, and nothing to read one with."""
    return f"{urlsplit(address).hostname or '?'} …{hashlib.sha256(address.encode()).hexdigest()[:4]}"[:120]


def address_of(feed: Feed) -> str:
    """Raises FeedError when no key opens it."""
    try:
        return _box().decrypt(bytes(feed.address_sealed)).decode()
    except InvalidToken:
        raise FeedError("The address opens with none of PIN_SEAL_KEYS: enter it again.") from None


@transaction.atomic
def save_feed(feed: Feed, *, address: str = "", actor: str) -> Feed:
    """Add or change a feed; an empty ``address`` keeps the one it has. Raises FeedError."""
    if address:
        address = fetching.check_address(address)
        feed.address_sealed, feed.address_hint = seal(address), hint(address)
        feed.etag = feed.last_modified = feed.error = ""
    elif not feed.address_sealed:
        raise FeedError("A feed needs an address.")
    feed.save()
    record("feed.saved", f"accommodation:{feed.accommodation_id}", actor=actor, feed=feed.pk, active=feed.active)
    return feed


@transaction.atomic
def remove_feed(feed: Feed, *, now: datetime, actor: str) -> None:
    """Nobody tells of its stays any more, so they stand as they are; those to come are a person's to end."""
    record("feed.removed", f"accommodation:{feed.accommodation_id}", actor=actor, feed=feed.pk)
    feed.delete()


def read_all(*, now: datetime) -> dict[int, Result]:
    """Every active feed of every active unit; one that is not well does not keep the others from being read."""
    feeds = Feed.objects.filter(active=True, accommodation__active=True).select_related("accommodation")
    return {feed.pk: read_feed(feed, now=now) for feed in feeds}


def read_feed(feed: Feed, *, now: datetime, dry_run: bool = False) -> Result:
    """Fetch and apply one feed. Trouble is written on its row and told in the result, never raised."""
    result = Result()
    try:
        answer = fetching.fetch(address_of(feed), headers=_conditions(feed))
        reading = ical.read(answer.body) if answer.body is not None else None
    except FeedError as error:
        result.error = str(error)
        Feed.objects.filter(pk=feed.pk).update(checked_at=now, error=result.error[:300])
        log.warning("feed.unread", feed=feed.pk, reason=result.error)
        return result
    if reading is None:
        Feed.objects.filter(pk=feed.pk).update(checked_at=now, heard_at=now, error="")
        return result
    if dry_run:
        result.seen, result.problems = len(reading.entries), list(reading.problems)
        return result
    apply(feed, reading, result, now=now)
    told = "; ".join(result.problems) or ("" if reading.entries else "The feed is empty; nothing was changed.")
    fresh = {"etag": answer.etag, "last_modified": answer.last_modified} if reading.whole else {}
    heard = {"heard_at": now, "read_at": now} if reading.whole else {}
    Feed.objects.filter(pk=feed.pk).update(checked_at=now, error=told[:300], **heard, **fresh)
    log.info("feed.read", feed=feed.pk, seen=result.seen, created=result.created, ended=result.ended)
    return result


def apply(feed: Feed, reading: ical.Reading, result: Result, *, now: datetime) -> None:
    """Save what the feed says, each event in a transaction of its own, and count what it no longer says."""
    result.problems += reading.problems
    for entry in reading.entries:
        result.seen += 1
        try:
            _save(feed, entry, result, now)
        except BadReservation as error:
            result.problems.append(str(error))
    if reading.whole and not result.problems:
        _miss(feed, {entry.uid for entry in reading.entries}, result, now)


@transaction.atomic
def _save(feed: Feed, entry: ical.Entry, result: Result, now: datetime) -> None:
    unit = feed.accommodation
    row, _created = FeedEntry.objects.get_or_create(feed=feed, uid=entry.uid)
    twin = stays_twin(entry.code, unit, entry.first, entry.last) if entry.is_stay else None
    if twin is not None:
        result.joined += 1
        if row.reservation_id not in (None, twin.pk):
            _end_own(row, now)  # both were told at the same moment: Stays' own stays
        _note(row, twin)
        return
    if entry.is_stay or row.reservation_id or window(unit, entry.first, None, entry.last, None)[1] > now:
        saved = services.save_facts(_facts(unit, feed, entry), facts_at=now, source=_ICAL, actor="ical")
        result.created += saved.created
        result.changed += bool(saved.changed) and not saved.created
        _note(row, saved.reservation)


def _miss(feed: Feed, seen: set[str], result: Result, now: datetime) -> None:
    """Entries the feed no longer has. ``now`` must be well after the first time it was without them."""
    today = now.astimezone(feed.accommodation.zone).date()
    rows = FeedEntry.objects.filter(feed=feed, reservation__source=_ICAL).select_related("reservation")
    ours = [row for row in rows if row.reservation is not None and row.reservation.status not in services.ENDED]
    coming = [row for row in ours if row.reservation and row.reservation.check_in_date > today]
    absent = [row for row in coming if row.uid not in seen]
    if len(absent) >= SUSPICIOUS and len(absent) > len(coming) / 2:
        result.problems.append(
            f"{len(absent)} of {len(coming)} stays to come are missing from the feed at once, so none of them was "
            "ended: look whether it is still the feed of this unit."
        )
        return
    for row in absent:
        _miss_one(row, result, now)
    for row in ours:
        stay = row.reservation
        if stay and row.uid not in seen and row not in coming and not stay.is_over(now) and not row.absences:
            _begun_and_absent(row, stay, now)


@transaction.atomic
def _miss_one(row: FeedEntry, result: Result, now: datetime) -> None:
    if row.absent_since is not None and now - row.absent_since < APART:
        return
    row.absences, row.absent_since = row.absences + 1, row.absent_since or now
    row.save(update_fields=["absences", "absent_since"])
    if row.absences >= ABSENCES and row.reservation is not None:
        result.ended += services.end(row.reservation, Status.DELETED, facts_at=now, actor="ical")


@transaction.atomic
def _begun_and_absent(row: FeedEntry, stay: Reservation, now: datetime) -> None:
    """Its day has come: feeds often drop what has begun. On the very day it may be a cancellation: a person is told."""
    FeedEntry.objects.filter(pk=row.pk).update(absences=1, absent_since=now)
    if stay.is_confirmed() and stay.check_in_at > now:
        stay_vanished.send(Reservation, reservation=stay)


def _end_own(row: FeedEntry, now: datetime) -> None:
    own = row.reservation
    if own is not None and own.source == _ICAL and own.status not in services.ENDED:
        services.end(own, Status.DELETED, facts_at=max(now, own.facts_at), actor="ical")


def _note(row: FeedEntry, reservation: Reservation) -> None:
    if (row.reservation_id, row.absences) != (reservation.pk, 0):
        FeedEntry.objects.filter(pk=row.pk).update(reservation=reservation, absences=0, absent_since=None)


def _facts(unit: Accommodation, feed: Feed, entry: ical.Entry) -> ReservationFacts:
    """No times: the unit's count. The unit is known by the feed, whatever listing it has at Stays."""
    digest = hashlib.sha256(f"{feed.accommodation_id}|{entry.uid}".encode()).hexdigest()
    return ReservationFacts(
        external_id=f"ical-{digest[:32]}", listing_id="", unit_id=unit.pk, status=entry.status,
        check_in_date=entry.first, check_out_date=entry.last, short_id=entry.code, partner_code=entry.code,
    )  # fmt: skip


def _conditions(feed: Feed) -> dict[str, str]:
    """Ask only for what is new, unless an absence waits to be confirmed: that takes a second whole reading."""
    if FeedEntry.objects.filter(feed=feed, absences__gt=0, reservation__source=_ICAL).exists():
        return {}
    pairs: dict[str, Any] = {"If-None-Match": feed.etag, "If-Modified-Since": feed.last_modified}
    return {name: value for name, value in pairs.items() if value}


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.PIN_SEAL_KEYS])


_ICAL = Reservation.Source.ICAL
