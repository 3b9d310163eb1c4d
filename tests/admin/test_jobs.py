"""The jobs' page: found by what they are about; states are tabs, pictures have numbers, and it asks first."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from locks import planning
from locks.plan import GENERATE, REVOKE
from reservations.models import Reservation
from scheduler import clock, kinds, overview, services
from scheduler.models import Job, JobAttempt
from smartlock.admin import charts, words
from smartlock.admin.finding import matching
from smartlock.admin.jobs import JobPage
from tests.admin.house import make_house
from tests.admin.test_steering import JOBS
from tests.builders import make_accommodation, make_lock, make_reservation

ROOMS = ("locks", "notifications", "recurring", "reservations", "scheduler", "webhooks")  # tests declare kinds, too


@pytest.fixture
def two(db: None) -> tuple[Reservation, Reservation]:
    """Two stays with their jobs: of Bia in the Loft behind the Gate, and of somebody elsewhere."""
    unit = make_accommodation(name="Loft")
    make_lock(unit, name="Gate")
    bia = make_reservation(unit, facts_at=clock.now(), check_in_date=_day(2), check_out_date=_day(5))
    Reservation.objects.filter(pk=bia.pk).update(guest_name="Bia Souza", partner_code="HM77")
    (other,) = make_house(1, clock.now())
    return bia, other


def _day(ahead: int) -> object:
    return clock.now().date() + timedelta(days=ahead)


def subjects(text: str) -> set[str]:
    return set(matching(Job.objects.all(), text).values_list("subject", flat=True))


@pytest.mark.parametrize("text", ["bia", " Bia Souza ", "HM77", "loft", "GATE"])
def test_jobs_are_found_by_guest_code_unit_and_lock(two: tuple[Reservation, Reservation], text: str) -> None:
    assert subjects(text) == {two[0].subject}


def test_jobs_are_found_by_any_id_of_the_reservation(two: tuple[Reservation, Reservation]) -> None:
    bia = two[0]
    for text in (bia.external_id, bia.short_id, bia.subject):
        assert subjects(text) == {bia.subject}
    assert bia.subject in subjects(str(bia.pk))


def test_a_job_is_found_by_its_number(two: tuple[Reservation, Reservation]) -> None:
    job = Job.objects.latest("pk")
    assert job in matching(Job.objects.all(), str(job.pk))


def test_jobs_are_found_by_kind_in_words_or_as_it_is_called(two: tuple[Reservation, Reservation]) -> None:
    for language, text in ("en", "take the pin off"), ("pt-br", "tirar o pin da porta"), ("en", "revoke_pin"):
        with translation.override(language):
            assert set(matching(Job.objects.all(), text).values_list("kind", flat=True)) == {REVOKE}


@pytest.mark.parametrize("text", ["nobody of this name", "a\x00b", "reservation:0"])
def test_what_fits_nothing_finds_nothing(two: tuple[Reservation, Reservation], text: str) -> None:
    assert subjects(text) == set()


def test_states_are_tabs_with_counts_that_keep_the_search(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    Job.objects.filter(kind=GENERATE).update(state="failed", finished_at=clock.now())
    page = boss.get(JOBS, {"q": "bia", "state__exact": "failed"}).content.decode()
    tabs = re.search(r'<nav class="sl-tabs".*?</nav>', page, re.DOTALL)
    assert tabs is not None
    assert re.search(r'\?q=bia&amp;state__exact=failed" aria-current="page">failed <b[^>]*>2</b>', tabs[0])
    assert 'href="?q=bia">all' in tabs[0]


def test_more_than_anybody_counts_is_said_as_such(
    boss: Client, two: tuple[Reservation, Reservation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "COUNTED", 1)
    assert "scheduled <b" in (page := boss.get(JOBS).content.decode())
    assert ">1+</b>" in page


def test_pictures_have_their_numbers_as_tables(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    Job.objects.update(run_at=clock.now() + timedelta(days=2))
    JobAttempt.objects.update(started_at=clock.now(), finished_at=None, lateness_ms=2000)
    page = boss.get(JOBS).content.decode()
    assert page.count("As a table") == 2  # nothing is due within 24 hours: said in words
    assert page.count("Nothing in this time.") == 1
    assert f">{Job.objects.count()}</a>" in page
    assert "one try, within 2.5 s" in page
    assert "sl-over" in page


def test_a_bar_leads_to_its_jobs(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    Job.objects.update(run_at=clock.now() + timedelta(days=40))
    Job.objects.filter(subject=two[0].subject).update(run_at=clock.now() + timedelta(days=3))
    day = next(column for column in charts.charts(clock.now())[1].columns if column.height)
    page = boss.get(day.url).content.decode()
    assert "Bia Souza" in page
    assert "Ana Teste" not in page


def test_the_goal_is_a_line_and_what_is_over_it_is_marked(db: None) -> None:
    late = charts.charts(clock.now())[2]
    assert late.goal == pytest.approx(charts._height(charts.GOAL_MS))
    assert charts._height(2500) > charts._height(charts.GOAL_MS) > charts._height(250)


def test_a_list_asks_and_says_how_many_before_it_acts(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    for action in JobPage.actions:
        chosen = {
            "action": action,
            "index": "0",
            "select_across": "1",
            "_selected_action": [Job.objects.latest("pk").pk],
        }
        page = boss.post(JOBS, chosen).content.decode()
        assert f"{Job.objects.count()} rows chosen" in page
    assert not Job.objects.exclude(state="scheduled").exists()


def test_a_filtered_many_are_called_off_at_once_and_no_others(
    boss: Client, two: tuple[Reservation, Reservation]
) -> None:
    one = Job.objects.filter(subject=two[0].subject)[0].pk
    words = {"action": "cancel", "index": "0", "select_across": "1", "_selected_action": [one], "_form_submitted": "1"}
    boss.post(f"{JOBS}?q=bia", words)
    assert set(Job.objects.filter(state="cancelled").values_list("subject", flat=True)) == {two[0].subject}
    assert not Job.objects.filter(subject=two[0].subject, state="scheduled").exists()


def test_queries_do_not_grow_with_the_jobs(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    def queries(text: str) -> int:
        boss.get(JOBS, {"q": text})
        with CaptureQueriesContext(connection) as found:
            boss.get(JOBS, {"q": text})
        return len(found)

    few = queries("ana"), queries("")
    make_house(12, clock.now())
    assert (queries("ana"), queries("")) == few


def test_a_job_names_its_door(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    make_lock(two[0].accommodation, name="Garden door")
    planning.replan(two[0].pk, now=clock.now())
    listed = boss.get(JOBS, {"q": "bia"}).content.decode()
    assert re.search(r"#\d+ Gate\b", listed)
    assert re.search(r"#\d+ Garden door\b", listed)
    job = Job.objects.filter(subject=two[0].subject).latest("pk")
    assert "(Garden door)" in boss.get(f"{JOBS}{job.pk}/change/").content.decode()


def test_what_is_about_a_lock_says_its_name(boss: Client, two: tuple[Reservation, Reservation]) -> None:
    lock = two[0].accommodation.locks.get()
    services.schedule("locks.generate_pin", due_at=clock.now(), now=clock.now(), subject=f"lock:{lock.pk}")
    listed = boss.get(JOBS, {"q": f"lock:{lock.pk}"}).content.decode()
    assert f'href="/admin/locks/lock/{lock.pk}/change/">Gate</a>' in listed


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_every_kind_of_job_has_words(language: str) -> None:
    with translation.override(language):
        assert [name for name in kinds.names() if name.partition(".")[0] in ROOMS and words.kind(name) == name] == []
