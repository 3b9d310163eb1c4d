"""What operators are told: each thing once while it is unseen, here and by e-mail."""

from __future__ import annotations

import smtplib

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django.fixtures import Settings

from locks import issue
from locks.models import Credential, Fallback
from locks.signals import door_needs_help, quota_nearly_used, way_in_changed
from notifications import notices, sentences
from notifications.models import Notice
from notifications.notices import TELL_OPERATOR
from reservations.signals import stays_overlap
from scheduler.errors import Stop
from scheduler.models import Job
from scheduler.signals import job_failed, job_slowed
from tests.notifications.conftest import Stage

GENERATE = "locks.generate_pin"


def needs_help(credential: Credential, text: str = "Porta 1 has not confirmed the PIN yet.") -> None:
    door_needs_help.send(Credential, credential=credential, code="pin_not_proven", text=text)


def test_a_door_that_needs_help_is_told_once(stage: Stage) -> None:
    stay = stage.book()
    credential = stage.accept(stay)
    needs_help(credential)
    needs_help(credential)
    notice = Notice.objects.get()
    assert (notice.code, notice.level, notice.subject) == ("door_pin_not_proven", "critical", stay.subject)
    assert "Ana Teste, Copacabana 301, Friday, 6 March, 15:00" in notice.text
    assert "Porta 1 has not confirmed" in notice.text

    assert stage.work(TELL_OPERATOR) == ["succeeded"]
    [letter] = mail.outbox
    assert letter.to == ["operator@example.com"]
    assert letter.subject.startswith("[SmartLock] Door has not confirmed a PIN: ")
    notice.refresh_from_db()
    assert notice.emailed_at == stage.now


def test_a_second_door_is_added_to_the_unseen_notice(stage: Stage) -> None:
    credential = stage.accept(stage.book())
    needs_help(credential)
    stage.work(TELL_OPERATOR)
    needs_help(credential, "Portão has not confirmed the PIN yet.")
    assert stage.work(TELL_OPERATOR) == ["succeeded"]
    assert "Portão" in Notice.objects.get().text
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] != second.extra_headers["Message-ID"]


def test_once_seen_it_may_be_told_again(stage: Stage) -> None:
    credential = stage.accept(stage.book())
    needs_help(credential)
    user = get_user_model().objects.create_user("olga")
    assert notices.mark_seen(Notice.objects.all(), user_id=user.pk, now=stage.now) == 1
    assert notices.mark_seen(Notice.objects.all(), user_id=user.pk, now=stage.now) == 0
    needs_help(credential)
    assert Notice.objects.count() == 2


def test_what_was_seen_in_time_needs_no_mail(stage: Stage) -> None:
    needs_help(stage.accept(stage.book()))
    notices.mark_seen(Notice.objects.all(), user_id=None, now=stage.now)
    assert stage.work(TELL_OPERATOR) == ["succeeded"]
    assert not mail.outbox


def test_a_job_on_the_dead_letter_shelf(stage: Stage) -> None:
    stay = stage.book()
    job = Job.objects.get(kind=GENERATE)
    job_failed.send(Job, job=job, error="TUYA_CLIENT_ID is not set.")
    notice = Notice.objects.get()
    assert (notice.code, notice.subject) == (f"job_failed.{GENERATE}", stay.subject)
    assert "TUYA_CLIENT_ID is not set." in notice.text


PIN_JOBS = {GENERATE: "has no PIN on Porta 1", "locks.change_window": "on Porta 1 the PIN still has the times from "
            "before", "locks.revoke_pin": "not proven to be off Porta 1"}  # fmt: skip


@pytest.mark.parametrize(("kind", "meaning"), PIN_JOBS.items())
def test_a_pin_job_on_the_shelf_names_stay_and_door_and_what_to_do(stage: Stage, kind: str, meaning: str) -> None:
    stay = stage.book()
    job = Job.objects.get(kind=GENERATE)
    job.kind = kind
    job_failed.send(Job, job=job, error="The project's plan has expired")
    notice = Notice.objects.get()
    assert (notice.level, notice.subject) == ("critical", stay.subject)
    assert "Ana Teste, Copacabana 301, Friday, 6 March, 15:00" in notice.text
    assert meaning in notice.text
    assert "The project's plan has expired. " in notice.text
    assert "press “Try again” under Failed jobs" in notice.text
    assert stage.work(TELL_OPERATOR) == ["succeeded"]
    assert mail.outbox[0].to == ["operator@example.com"]


def test_a_pin_job_that_really_fails_tells_the_operator(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Stop("The project's plan has expired.")

    stay = stage.book()
    monkeypatch.setattr(issue, "generate_pin", refuse)
    stage.now = Job.objects.get(kind=GENERATE).run_at
    assert stage.work(GENERATE) == ["failed"]
    assert Notice.objects.get(code=f"job_failed.{GENERATE}").subject == stay.subject
    assert stage.work(TELL_OPERATOR) == ["succeeded"]


@pytest.mark.parametrize(("language", "what"), [("en", "once an hour now"), ("pt-br", "uma tentativa por hora")])
def test_a_removal_that_kills_its_workers_is_told(stage: Stage, settings: Settings, language: str, what: str) -> None:
    settings.LANGUAGE_CODE = language
    stay = stage.book()
    job_slowed.send(Job, job=Job.objects.get(kind="locks.revoke_pin"), error="The worker died.")
    notice = Notice.objects.get()
    assert (notice.code, notice.level, notice.subject) == ("job_slowed", "critical", stay.subject)
    assert [part in notice.text for part in ("Ana Teste", "Porta 1", what, "The worker died.")] == [True] * 4


def test_a_second_door_of_the_stay_is_added_and_a_door_that_is_no_more_has_its_number(stage: Stage) -> None:
    stage.book(doors=2)
    for job in Job.objects.filter(kind=GENERATE).order_by("pk"):
        job_failed.send(Job, job=job, error="Refused.")
    job.payload = {"lock": 999_999}
    job_failed.send(Job, job=job, error="Refused.")
    text = Notice.objects.get().text
    assert [name in text for name in ("on Porta 1,", "on Porta 2,", "on lock #999999,")] == [True] * 3


def test_portuguese_operators_read_of_a_pin_job_in_portuguese(stage: Stage, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "pt-br"
    stage.book()
    job_failed.send(Job, job=Job.objects.get(kind=GENERATE), error="Refused.")
    assert "o hóspede não tem PIN em Porta 1" in Notice.objects.get().text


def test_a_job_about_nothing_we_know(stage: Stage) -> None:
    stage.book()
    job = Job.objects.get(kind=GENERATE)
    for subject in ("", "event:7", "reservation:999999"):
        job.subject = subject
        job_failed.send(Job, job=job, error="broken")
    assert set(Notice.objects.values_list("subject", flat=True)) == {f"job:{job.pk}", "event:7", "reservation:999999"}


def test_mail_that_cannot_be_sent_makes_no_mail_about_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> int:
        raise smtplib.SMTPAuthenticationError(535, b"no")

    needs_help(stage.accept(stage.book()))
    monkeypatch.setattr(EmailBackend, "send_messages", away)
    assert stage.work(TELL_OPERATOR) == ["retry"]
    job = stage.job(TELL_OPERATOR)
    assert job is not None
    assert "535" in job.last_error
    Job.objects.filter(pk=job.pk).update(attempt=27, run_at=stage.now)
    assert stage.work(TELL_OPERATOR) == ["failed"]
    assert Notice.objects.filter(code=f"job_failed.{TELL_OPERATOR}").exists()
    assert stage.job(TELL_OPERATOR) is None


def test_a_double_booking_is_one_notice_from_both_sides(stage: Stage) -> None:
    one = stage.book()
    two = stage.book(unit=one.accommodation, doors=0, external_id="second")
    stays_overlap.send(type(one), reservation=one, others=[two])
    stays_overlap.send(type(two), reservation=two, others=[one])
    notice = Notice.objects.get(code="stays_overlap")
    assert notice.subject == one.subject
    assert f"{two.short_id} Ana Teste" in notice.text


def test_each_stay_of_a_double_booking_is_named_once_and_the_advice_stands_once(stage: Stage) -> None:
    one = stage.book()
    two, three = (stage.book(unit=one.accommodation, doors=0, external_id=name) for name in ("second", "third"))
    stays_overlap.send(type(one), reservation=two, others=[one])
    stays_overlap.send(type(one), reservation=three, others=[one, two])
    stays_overlap.send(type(one), reservation=one, others=[two, three])
    text = Notice.objects.get(code="stays_overlap").text
    assert [text.count(words) for words in (two.short_id, three.short_id, "overlaps with", "a PIN of their own")] == [
        1, 1, 2, 1,
    ]  # fmt: skip


def test_without_an_address_the_notice_waits_on_the_site(stage: Stage, settings: Settings) -> None:
    settings.OPERATOR_EMAILS = []
    needs_help(stage.accept(stage.book()))
    assert Notice.objects.exists()
    assert stage.job(TELL_OPERATOR) is None


def test_operators_read_portuguese_where_the_installation_does(stage: Stage, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "pt-br"
    needs_help(stage.accept(stage.book()))
    notice = Notice.objects.get()
    assert notice.title.startswith("Porta não confirmou o PIN: ")
    assert "sexta-feira, 6 de março, 15:00" in notice.text


@pytest.mark.parametrize(
    ("radio", "language", "rouse", "not_said"),
    [
        ("wifi", "en", "wake the lock (touch its keypad), or call", "gateway"),
        ("zigbee", "en", "gateway of this door brought back", "keypad"),
        ("ble", "en", "gateway of this door brought back", "keypad"),
        ("wifi", "pt-br", "acorde a fechadura", "gateway"),
        ("ble", "pt-br", "religuem o gateway desta porta", "teclado"),
    ],
)
def test_who_has_no_way_in_needs_the_keypad_touched_or_the_gateway_back(
    stage: Stage, settings: Settings, radio: str, language: str, rouse: str, not_said: str
) -> None:
    settings.LANGUAGE_CODE = language
    stay = stage.book()
    lock = stay.accommodation.locks.get()
    lock.radio = radio
    way_in_changed.send(
        Fallback, reservation=stay, lock=lock, code="no_way_in", detail=f"{lock.name} has not confirmed the PIN."
    )  # fmt: skip
    text = Notice.objects.get(code="no_way_in").text
    assert "Porta 1" in text
    assert rouse in text
    assert not_said not in text


def test_every_notice_is_there_in_both_languages() -> None:
    for words in sentences.NOTICES.values():
        assert set(words.title) == set(words.text) == {"en", "pt-br"}
        assert all("{stay}" in text for text in words.text.values())


def test_an_alarm_of_a_new_sort_is_told_all_the_same(stage: Stage) -> None:
    credential = stage.accept(stage.book())
    door_needs_help.send(Credential, credential=credential, code="on_fire", text="Porta 1 is on fire")
    assert "Porta 1 is on fire. Look at the lock." in Notice.objects.get(code="door_on_fire").text


def test_portuguese_operators_read_of_a_door_in_portuguese_whatever_the_record_says(
    stage: Stage, settings: Settings
) -> None:
    settings.LANGUAGE_CODE = "pt-br"
    needs_help(stage.accept(stage.book()))
    text = Notice.objects.get().text
    assert "Porta 1 ainda não confirmou o PIN. Ela dorme: basta tocar no teclado" in text
    assert "has not confirmed" not in text


def test_an_error_nobody_has_words_for_is_quoted_to_portuguese_operators(stage: Stage, settings: Settings) -> None:
    settings.LANGUAGE_CODE = "pt-br"
    stage.book()
    job_failed.send(Job, job=Job.objects.get(kind=GENERATE), error="TUYA_CLIENT_ID is not set.")
    assert "Registro: “TUYA_CLIENT_ID is not set.”." in Notice.objects.get().text


@pytest.mark.parametrize(
    ("language", "code", "words"),
    [
        ("en", "backup_handed_out", "until Friday, 6 March, 15:00. The first PIN"),
        ("pt-br", "offline_stranded", "ele abre até sexta-feira, 6 de março, 15:00. Se isso"),
    ],
)
def test_the_end_of_what_was_handed_out_is_told_by_the_propertys_clock(
    stage: Stage, settings: Settings, language: str, code: str, words: str
) -> None:
    settings.LANGUAGE_CODE = language
    stay = stage.book()
    lock = stay.accommodation.locks.get()
    way_in_changed.send(Fallback, reservation=stay, lock=lock, code=code, detail="", until=stay.check_in_at)
    assert words in Notice.objects.get().text


@pytest.mark.parametrize(
    ("language", "words"), [("en", "opens until Friday, 6 March"), ("pt-br", "o PIN abre até sexta")]
)
def test_digits_that_stay_are_told_with_the_propertys_clock(
    stage: Stage, settings: Settings, language: str, words: str
) -> None:
    settings.LANGUAGE_CODE = language
    credential = stage.accept(stage.book())
    until = credential.starts_at
    door_needs_help.send(Credential, credential=credential, code="digits_frozen", text="a record", until=until)
    assert words in Notice.objects.get().text


@pytest.mark.parametrize(
    ("language", "words"), [("en", "8,000 of 10,000 calls"), ("pt-br", "8.000 de 10.000 chamadas")]
)
def test_the_months_calls_are_counted_as_the_reader_writes_numbers(
    db: None, settings: Settings, language: str, words: str
) -> None:
    settings.LANGUAGE_CODE = language
    quota_nearly_used.send(None, provider="tuya", percent=80, calls=8000, quota=10000)
    assert words in Notice.objects.get().text
