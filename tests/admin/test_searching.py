"""Searching lists that grow for years: each table is read once, whatever else the page shows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reservations.facts import Guest
from smartlock.admin.paging import FewRelated, LongList
from tests.builders import make_accommodation, make_reservation

pytestmark = pytest.mark.django_db
LISTS = ["reservations_reservation", "locks_credential", "notifications_message", "audit_auditlog"]


@pytest.mark.parametrize("name", LISTS)
def test_a_search_that_finds_little_reads_its_table_once(boss: Client, name: str) -> None:
    make_reservation(make_accommodation())
    with CaptureQueriesContext(connection) as captured:
        page = boss.get(reverse(f"admin:{name}_changelist"), {"q": "nobodyofthatname"})
    assert page.status_code == 200
    searches = [query["sql"] for query in captured if "NOBODYOFTHATNAME" in query["sql"].upper()]
    assert len(searches) == 1


def test_what_fits_on_a_page_is_found_and_counted(boss: Client) -> None:
    stay = make_reservation(make_accommodation())
    make_reservation(make_accommodation(), guest=Guest("Somebody Else"))
    shown = boss.get(reverse("admin:reservations_reservation_changelist"), {"q": stay.guest_name}).context["cl"]
    assert [row.pk for row in shown.result_list] == [stay.pk]
    assert shown.result_count == 1


def test_what_does_not_fit_is_shown_page_by_page(boss: Client) -> None:
    unit = make_accommodation()
    for number in range(LongList.list_per_page + 2):
        make_reservation(unit, guest=Guest(f"Same Name {number}"))
    address = reverse("admin:reservations_reservation_changelist")
    first = boss.get(address, {"q": "Same Name"}).context["cl"]
    second = boss.get(address, {"q": "Same Name", "p": "2"}).context["cl"]
    assert (len(first.result_list), len(second.result_list)) == (LongList.list_per_page, 2)
    assert first.result_count == LongList.list_per_page + 2


def test_units_are_offered_as_a_filter_only_while_they_are_few(boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    page, units = reverse("admin:reservations_reservation_changelist"), [make_accommodation() for _ in range(3)]
    for unit in units:
        make_reservation(unit)
    link = f"accommodation__id__exact={units[0].pk}"
    assert link in boss.get(page).content.decode()
    monkeypatch.setattr(FewRelated, "MOST", 2)
    assert link not in boss.get(page).content.decode()
    chosen = boss.get(f"{page}?{link}")
    assert [stay.accommodation_id for stay in chosen.context["cl"].result_list] == [units[0].pk]
    assert units[0].name in chosen.content.decode()
    assert boss.get(f"{page}?accommodation__id__exact=nobody").status_code == 302
