"""A webhook and a sync meet a new stay in the same instant. Only PostgreSQL lets two of them write at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from reservations.models import Reservation
from reservations.services import Saved, save_facts
from tests.builders import NOW, make_accommodation, make_facts


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in at a time")
def test_two_writers_of_a_new_stay_make_one_and_the_later_facts_stand() -> None:
    facts = make_facts(make_accommodation())
    longer = replace(facts, check_out_date=date(2026, 3, 10))
    saved: list[Saved] = []

    def other() -> None:
        saved.append(save_facts(longer, facts_at=NOW + timedelta(seconds=1)))
        connection.close()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        save_facts(facts, facts_at=NOW)
        thread.start()
        thread.join(0.3)  # it has looked, found nothing, and waits at the unique index
        assert thread.is_alive()
    thread.join(10)
    assert not saved[0].created
    assert Reservation.objects.get().check_out_date == date(2026, 3, 10)
