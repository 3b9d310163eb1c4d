"""`replay_events`: which events it means, what it shows, and what its exit code tells."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smartlock.audit.models import AuditLog
from tests.builders import NOW, make_reservation
from tests.commands.run import run
from tests.webhooks.deliveries import received, stay
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
State = WebhookEvent.State


@pytest.fixture
def events() -> list[int]:
    """One a day from NOW on, of four stays; the second is parked, the third was given up."""
    rows = [received("reservation.created", stay(_id=f"E{day}"), now=NOW + timedelta(days=day)).pk for day in range(4)]
    for pk, state in zip(rows, (State.PROCESSED, State.PARKED, State.FAILED, State.PROCESSED), strict=True):
        WebhookEvent.objects.filter(pk=pk).update(state=state, handed_on_at=NOW, processed_at=NOW)
    return rows


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--id", "{0}"], [0]), (["--id", "{0}", "--id", "{2}"], [0, 2]), (["--state", "parked"], [1]),
        (["--state", "parked", "--state", "failed"], [1, 2]), (["--reservation", "E3"], [3]),
        (["--from", "2026-03-06"], [1, 2, 3]), (["--from", "2026-03-06", "--to", "2026-03-07"], [1, 2]),
        (["--to", "2026-03-06T12:00+00:00"], [0]), (["--from", "2026-03-06", "--state", "processed"], [3]),
    ],
)  # fmt: skip
def test_the_events_that_are_meant_are_processed_again(events: list[int], words: list[str], meant: list[int]) -> None:
    answer = run("replay_events", *(word.format(*events) for word in words), "--json")
    expected = [events[index] for index in meant]
    assert (answer.code, answer.json) == (0, {"dry_run": False, "replayed": len(meant), "events": expected})
    waiting = WebhookEvent.objects.filter(state=State.RECEIVED, handed_on_at=None).order_by("pk")
    assert list(waiting.values_list("pk", flat=True)) == expected
    assert AuditLog.objects.filter(action__endswith=".replayed", actor="command").count() == 1


def test_a_stay_is_found_by_whichever_of_its_ids_an_event_gave() -> None:
    known = make_reservation(short_id="EV23J")
    long = received("reservation.modified", stay(_id=known.external_id), now=NOW).pk
    short = received("reservation.canceled", {"id": "EV23J"}, now=NOW).pk
    for name in (known.external_id, "EV23J"):
        assert run("replay_events", "--reservation", name, "--dry-run", "--json").json["events"] == [long, short]


def test_a_dry_run_shows_and_changes_nothing(events: list[int]) -> None:
    answer = run("replay_events", "--state", "parked", "--dry-run")
    assert (answer.code, "E1" in answer.out, "1 event would be" in answer.out) == (0, True, True)
    assert not WebhookEvent.objects.filter(state=State.RECEIVED).exists()
    assert not AuditLog.objects.filter(action__endswith=".replayed").exists()


@pytest.mark.usefixtures("events")
@pytest.mark.parametrize(
    ("words", "code"),
    [([], 2), (["--from", "soon"], 2), (["--to", "2026-13-01"], 2), (["--id", "999999"], 1),
     (["--reservation", "nobody"], 1)],
)  # fmt: skip
def test_what_cannot_be_done_is_told(words: list[str], code: int) -> None:
    answer = run("replay_events", *words)
    assert (answer.code, answer.out.strip()[-1]) == (code, ".")
