"""A long night: trouble is on top and in full, what is well is folded under its count, and an address unfolds it."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from reservations.models import Reservation
from scheduler import clock
from smartlock.tonight.chain import Light
from smartlock.tonight.parts import MOST_STEPS, SMALL, STEP, Part, asked, parts
from tests.builders import make_accommodation, make_reservation

RED, GREEN = Light.RED, Light.GREEN


def side(rows: list[Light], query: str = "") -> list[Part]:
    wanted = asked(QueryDict(query.removeprefix("?")).dict())
    return parts("in", rows, lambda row: row, lambda row: {"light": row}, lambda light, n: f"{n} {light}", wanted)


def test_a_short_side_is_shown_as_it_is() -> None:
    (part,) = side([GREEN] * (SMALL - 1) + [RED])
    assert len(part.rows) == SMALL
    assert (part.fold, part.more, part.title) == ("", "", "")


def test_of_a_long_side_the_trouble_is_open_and_the_rest_a_count() -> None:
    red, green = side([GREEN] * 600 + [RED] * 3)
    assert (red.title, len(red.rows), red.is_open, red.more) == ("3 red", 3, True, "")
    assert (green.title, len(green.rows), green.is_open, green.more) == ("600 green", 0, False, "")


def test_an_address_unfolds_a_part_step_by_step_and_folds_it_again() -> None:
    rows = [GREEN] * (STEP + 5)
    (green,) = side(rows, side(rows)[0].fold)
    assert (len(green.rows), green.left) == (STEP, 5)
    assert side(rows, green.fold)[0].rows == []
    (green,) = side(rows, green.more)
    assert (len(green.rows), green.left, green.more) == (STEP + 5, 0, "")


def test_one_part_is_unfolded_without_folding_another() -> None:
    red, green = side([GREEN] * 30 + [RED] * 40, "in-green=1")
    assert green.is_open
    assert asked(QueryDict(red.more[1:]).dict()) == {"in-green": 1, "in-red": 2}


@pytest.mark.parametrize("nonsense", ["in-green=-1", "in-green=x", "in-green=²", "in-blue=1", "in-green="])
def test_nonsense_in_an_address_is_left_out(nonsense: str) -> None:
    assert asked(QueryDict(nonsense).dict()) == {}
    assert asked(QueryDict("in-green=999999").dict()) == {"in-green": MOST_STEPS}


@pytest.mark.django_db
def test_a_night_with_150_arrivals_in_trouble_is_light(boss: Client) -> None:
    arrive(150)
    page = boss.get(reverse("admin:index")).content.decode()
    assert "150 need you" in page
    assert page.count('<li class="sl-stay sl-edge-red">') == STEP
    assert len(page) < 250_000
    more = boss.get(reverse("tonight"), {"in-red": 5}).content.decode()
    assert more.count('<li class="sl-stay sl-edge-red">') == 150


@pytest.mark.django_db
def test_what_renews_itself_is_sent_compressed_to_who_can_read_that(boss: Client) -> None:
    arrive(3)
    plain = boss.get(reverse("tonight"))
    packed = boss.get(reverse("tonight"), headers={"accept-encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 3
    assert b'id="sl-tonight"' in gzip.decompress(packed.content)


def arrive(count: int) -> None:
    """Guests at the door of one unit whose PINs nobody has chosen and nothing will choose: its lock is missing."""
    unit, at = make_accommodation(timezone="UTC"), clock.now() + timedelta(hours=2)
    guest = make_reservation(unit)
    Reservation.objects.filter(pk=guest.pk).update(check_in_at=at, check_out_at=at + timedelta(days=2))
    guest.refresh_from_db()
    Reservation.objects.bulk_create(_another(guest, number) for number in range(1, count))


def _another(guest: Reservation, number: int) -> Reservation:
    return Reservation(
        accommodation=guest.accommodation, external_id=f"another{number}", status=guest.status,
        guest_name=f"Guest {number}", facts_at=guest.facts_at, check_in_date=guest.check_in_date,
        check_out_date=guest.check_out_date, check_in_at=guest.check_in_at, check_out_at=guest.check_out_at,
    )  # fmt: skip


@pytest.mark.django_db
def test_a_quiet_night_is_said_in_words(boss: Client) -> None:
    make_accommodation()
    shown = boss.get(reverse("tonight")).content.decode()
    assert "There are no reservations yet" in shown
    assert "Nobody leaves in the next 36 hours" in shown
    assert "0 of 0" not in shown
