"""Listings are read and proposed; what a person has set is never changed by it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from reservations import listings, tasks
from reservations.errors import BadReservation
from reservations.models import Accommodation, Listing
from reservations.signals import listings_mapped
from reservations.stays.client import StaysClient
from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_accommodation
from tests.commands.run import run
from tests.reservations.stays_account import COPACABANA, point_to, scripted
from tests.sandbox_process import BLE, LISTING

pytestmark = pytest.mark.django_db


def read(**options: Any) -> listings.Result:
    with StaysClient.from_settings() as client:
        return listings.sync(client, now=NOW, **options)


@pytest.mark.usefixtures("account")
def test_every_listing_is_proposed_with_the_zone_of_its_state_and_its_times() -> None:
    result = read()
    assert (result.seen, result.new, result.unmapped, result.problems) == (3, 3, 3, [])
    manaus = Listing.objects.get(external_id=LISTING[BLE])
    assert (manaus.proposed_timezone, manaus.zone_reason) == ("America/Manaus", "state AM")
    assert (manaus.name, manaus.check_in_time, manaus.place) == ("Manaus Centro 7", time(15), "Manaus, AM")
    assert not Accommodation.objects.exists()
    again = read()
    assert (again.new, Listing.objects.count()) == (0, 3)


@pytest.mark.usefixtures("account")
def test_a_set_zone_stays_and_the_difference_is_told() -> None:
    unit = make_accommodation(external_id=LISTING[BLE], timezone="America/Noronha")
    result = read()
    assert result.unmapped == 2
    assert result.differences == [f"{unit}: time zone is America/Noronha, its listing proposes America/Manaus."]
    unit.refresh_from_db()
    assert unit.timezone == "America/Noronha"
    assert listings.take_over(Listing.objects.get(external_id=LISTING[BLE]), now=NOW, actor="maria")
    unit.refresh_from_db()
    assert unit.timezone == "America/Manaus"
    assert read().differences == []


@pytest.mark.usefixtures("account")
def test_a_dry_run_keeps_nothing() -> None:
    assert read(dry_run=True).new == 3
    assert not Listing.objects.exists()


@pytest.mark.usefixtures("account")
def test_a_person_imports_a_unit_and_what_waited_for_it_is_told() -> None:
    read()
    told: list[list[str]] = []

    def hear(listing_ids: list[str], **_: object) -> None:
        told.append(listing_ids)

    listings_mapped.connect(hear)
    try:
        listing = Listing.objects.get(external_id=LISTING[BLE])
        unit = listings.import_unit(listing, now=NOW, actor="maria")
        assert listings.import_unit(listing, now=NOW, actor="maria") == unit
        child = Listing.objects.get(external_id=COPACABANA)
        assert listings.map_listing(child, unit, actor="maria")
        assert not listings.map_listing(child, unit, actor="maria")
    finally:
        listings_mapped.disconnect(hear)
    assert (unit.name, unit.timezone, unit.external_id) == ("Manaus Centro 7", "America/Manaus", LISTING[BLE])
    assert told == [[LISTING[BLE]], [COPACABANA]]
    assert AuditLog.objects.filter(action__in=["listing.imported", "listing.mapped"], actor="maria").count() == 2
    assert list(listings.unmapped().values_list("name", flat=True)) == ["Pinheiros 12"]


def test_without_a_zone_nothing_is_imported() -> None:
    listing = Listing.objects.create(external_id="L1", name="Lisboa", seen_at=NOW, zone_reason="PT is not Brazil")
    with pytest.raises(BadReservation, match="PT is not Brazil"):
        listings.import_unit(listing, now=NOW, actor="maria")


@pytest.mark.parametrize(
    "odd", [{"_id": "L1"}, {"_id": "L1", "address": [], "latLng": "x", "_mstitle": 3, "internalName": None},
            {"_id": "L1", "latLng": {"_f_lat": "x", "_f_lng": True}, "status": {}}],
)  # fmt: skip
def test_what_is_missing_or_odd_is_survived(settings: Settings, odd: dict[str, Any]) -> None:
    with scripted((200, [odd, {"id": "no long id"}]), (500, {})) as stays:
        point_to(settings, stays.base_url)
        result = read()
    assert (result.seen, result.new, len(result.problems)) == (1, 1, 2)
    assert Listing.objects.get().proposed_timezone == ""


@pytest.mark.usefixtures("account")
def test_the_command_and_the_tick_do_the_same() -> None:
    assert run("sync_listings", "--json").json["unmapped"] == 3
    assert "America/Manaus" in run("sync_listings").out
    tasks.sync_listings()
    assert Listing.objects.filter(seen_at__gt=NOW + timedelta(days=1)).count() == 3
