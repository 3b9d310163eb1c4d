"""Any order, repetition or delay of a stay's events ends in the state that the last of them tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reservations.models import Accommodation, Reservation
from tests.builders import NOW, make_accommodation
from tests.webhooks.deliveries import STAY, process_all, received, stay
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
bounded = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Told = tuple[str, dict[str, Any]]
GONE = {"_id": STAY, "_idlisting": "L1", "from": "2026-03-06", "to": "2026-03-09"}
DAYS = st.sampled_from(["2026-03-09", "2026-03-10", "2026-03-12"])
EVENTS: st.SearchStrategy[Told] = st.one_of(
    st.tuples(
        st.sampled_from(["created", "modified", "reactivated"]),
        st.builds(
            lambda last, kind, unit: stay(checkOutDate=last, type=kind, _idlisting=unit),
            DAYS, st.sampled_from(["reserved", "booked", "contract", "canceled"]), st.sampled_from(["L1", "L2"]),
        ),
    ),
    st.tuples(st.sampled_from(["canceled", "cancelled"]), DAYS.map(lambda last: stay(checkOutDate=last))),
    st.tuples(st.just("canceled"), st.just({"id": "EV23J", "_idlisting": "L1"})),
    st.just(("deleted", GONE)),
)  # fmt: skip


@st.composite
def tangled(draw: st.DrawFn) -> tuple[list[Told], list[int]]:
    """A history that begins with a booking, and an order of delivery in which each event comes once or more."""
    history = [("created", stay()), *draw(st.lists(EVENTS, min_size=1, max_size=4))]
    repeats = draw(st.lists(st.integers(0, len(history) - 1), max_size=3))
    return history, draw(st.permutations([*range(len(history)), *repeats]))


def end_state(history: list[Told], order: list[int], *, together: bool) -> dict[str, Any]:
    """What our reservation is like when all is processed: after each delivery, or all ``together`` at the end."""
    with transaction.atomic():
        for step, index in enumerate(order):
            verb, payload = history[index]
            now = NOW + timedelta(hours=1, minutes=step)
            received(f"reservation.{verb}", payload, now=now, at=NOW + timedelta(minutes=index))
            if not together:
                process_all(now)
        process_all(NOW + timedelta(hours=2))
        row = Reservation.objects.values("status", "check_in_at", "check_out_at", "accommodation__external_id").get()
        states = set(WebhookEvent.objects.values_list("state", flat=True))
        transaction.set_rollback(True)
    if row["status"] in ("canceled", "deleted"):
        # Nobody is let in: how it ended, where and when no longer matters. A cancellation by short id alone, of a
        # stay that was only ever deleted, may stay parked.
        return {"ended": True}
    assert states == {"processed"}
    return dict(row)


@bounded
@given(tangle=tangled(), together=st.booleans())
@example(([("created", stay()), ("deleted", GONE)], [1, 0]), False)
@example(([("created", stay()), ("canceled", {"id": "EV23J", "_idlisting": "L1"})], [1, 0]), False)
@example(([("created", stay()), ("canceled", stay()), ("modified", stay()), ("canceled", stay())], [3, 1, 0, 2]), True)
def test_every_order_and_repetition_ends_in_the_same_state(
    tangle: tuple[list[Told], list[int]], together: bool
) -> None:
    make_accommodation(external_id="L1")
    make_accommodation(external_id="L2")
    history, order = tangle
    try:
        expected = end_state(history, list(range(len(history))), together=False)
        assert end_state(history, order, together=together) == expected
    finally:
        Accommodation.objects.all().delete()
