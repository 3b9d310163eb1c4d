"""Sending: what is written down, what is tried again, and what never happens."""

from __future__ import annotations

import smtplib
from datetime import date, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from pytest_django.fixtures import Settings

from locks.models import Credential
from notifications.models import Message, Notice
from notifications.planning import TELL_GUEST
from notifications.telling import tell_guest
from reservations.facts import Guest
from reservations.models import Reservation
from reservations.services import save_by_hand
from scheduler import services as jobs
from scheduler.errors import Superseded
from scheduler.models import Job, JobAttempt
from smartlock.audit.models import AuditLog
from tests.builders import make_accommodation
from tests.notifications.conftest import PIN, Stage

REFUSED = smtplib.SMTPRecipientsRefused({"ana@example.com": (550, b"5.1.1 no such user")})


class Post:
    """The mail server: fails as told, otherwise takes everything."""

    def __init__(self) -> None:
        self.fails: BaseException | None = None
        self.takes_it_all_the_same = False

    def send(self, backend: EmailBackend, messages: Any) -> int:
        if self.fails is None or self.takes_it_all_the_same:
            mail.outbox.extend(messages)
        if self.fails is not None:
            raise self.fails
        return len(messages)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    post = Post()
    monkeypatch.setattr(EmailBackend, "send_messages", lambda backend, messages: post.send(backend, messages))
    return post


def go_on() -> None:
    """The job was not called off."""


def test_the_row_says_what_she_knows_and_not_the_pin(stage: Stage) -> None:
    stay = stage.book()
    stage.told(stay)
    message = Message.objects.get()
    credential = Credential.objects.get()
    assert (message.state, message.to, message.language, message.sent_at) == (
        "sent", "ana@example.com", "pt-br", stage.now,
    )  # fmt: skip
    assert message.knows == {
        "codes": {str(credential.lock_id): credential.pin_fingerprint}, "unit": stay.accommodation_id,
        "starts_at": stay.check_in_at.isoformat(), "ends_at": stay.check_out_at.isoformat(),
    }  # fmt: skip
    assert AuditLog.objects.filter(action="guest.told", subject=stay.subject).count() == 1


def test_the_pin_is_in_no_row(stage: Stage, post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.fails = smtplib.SMTPDataError(554, f"5.6.0 we do not like 'PIN: {PIN}'".encode())
    stay = stage.book()
    stage.on_the_door(stay)
    assert stage.work() == ["retry"]
    post.fails = None
    stage.later(seconds=3)
    assert stage.work() == ["succeeded"]
    assert mail.outbox
    rows = [list(model.objects.values()) for model in (Message, Notice, Job, JobAttempt, AuditLog)]
    assert PIN not in repr(rows)
    assert PIN not in caplog.text


def test_a_mail_server_that_is_away_is_tried_again(stage: Stage, post: Post) -> None:
    post.fails = ConnectionRefusedError(111, "Connection refused")
    stay = stage.book()
    stage.on_the_door(stay)
    for wait in (2, 4, 8):
        assert stage.work() == ["retry"]
        job = stage.job()
        assert job is not None
        assert job.run_at >= stage.now + timedelta(seconds=wait)
        stage.now = job.run_at
    assert Message.objects.get().state == Message.State.FAILED
    # After the quick tries a person is told, once; the tries go on.
    assert Notice.objects.get(code="guest_not_told").subject == stay.subject
    assert stage.work() == ["retry"]
    job = stage.job()
    assert job is not None
    assert job.expires_at == stay.check_out_at

    post.fails = None
    stage.now = job.run_at
    assert stage.work() == ["succeeded"]
    message = Message.objects.get()
    assert (message.state, message.tries, message.error) == ("sent", 5, "")
    assert (len(mail.outbox), Notice.objects.count()) == (1, 1)


def test_a_door_that_stirs_does_not_hasten_a_mail_server(stage: Stage, post: Post) -> None:
    post.fails = ConnectionRefusedError()
    stay = stage.book()
    credential = stage.on_the_door(stay)
    stage.work()
    before = Job.objects.filter(kind=TELL_GUEST).values("run_at", "attempt").get()
    stage.later(seconds=1)
    stage.prove(credential)
    assert Job.objects.filter(kind=TELL_GUEST).values("run_at", "attempt").get() == before


def test_a_new_address_is_tried_at_once(stage: Stage, post: Post) -> None:
    post.fails = smtplib.SMTPRecipientsRefused({"ana@example.com": (450, b"greylisted")})
    stay = stage.book()
    stage.on_the_door(stay)
    assert stage.work() == ["retry"]
    post.fails = None
    stay.guest_email = "ana.right@example.com"
    stay.save()
    assert stage.work() == ["succeeded"]
    assert [letter.to for letter in mail.outbox] == [["ana.right@example.com"]]


def test_after_a_crash_in_between_it_is_sent_again_at_least_once(stage: Stage, post: Post) -> None:
    """The server took it, the worker died before that was noted. Twice the same letter, with the same Message-ID."""
    stay = stage.book()
    stage.on_the_door(stay)
    post.fails, post.takes_it_all_the_same = SystemExit(), True
    with pytest.raises(SystemExit):
        tell_guest(stay.pk, check=go_on, now=lambda: stage.now)
    assert Message.objects.get().state == Message.State.SENDING

    post.fails = None
    assert stage.work() == ["succeeded"]
    assert (Message.objects.get().state, Message.objects.get().tries) == ("sent", 2)
    first, second = mail.outbox
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]

    # From then on there is no double.
    assert tell_guest(stay.pk, check=go_on, now=lambda: stage.now) is None
    assert len(mail.outbox) == 2


def test_a_silent_server_may_have_taken_it_and_a_cancellation_is_told(stage: Stage, post: Post) -> None:
    post.fails = smtplib.SMTPServerDisconnected("closed unexpectedly")
    stay = stage.book()
    stage.on_the_door(stay)
    assert stage.work() == ["retry"]
    assert Message.objects.get().state == Message.State.SENDING
    post.fails = None
    stay.status = Reservation.Status.CANCELED
    stay.save()
    assert stage.work() == ["succeeded"]
    assert list(Message.objects.values_list("template", "state")) == [
        ("stay_cancelled", "sent"), ("pin_ready", "sending"),
    ]  # fmt: skip


def test_what_certainly_did_not_go_out_needs_no_cancellation(stage: Stage, post: Post) -> None:
    post.fails = ConnectionRefusedError()
    stay = stage.book()
    stage.on_the_door(stay)
    stage.work()
    stay.status = Reservation.Status.CANCELED
    stay.save()
    assert stage.job() is None


@pytest.mark.parametrize("address", ["", "not an address", "ana@example.com\nBcc: all@example.com"])
def test_a_guest_without_email_is_skipped_and_an_operator_is_told_once(stage: Stage, address: str) -> None:
    stay = stage.book(guest=Guest("Ana Teste", address))
    credential = stage.on_the_door(stay)
    assert stage.work() == ["succeeded"]
    assert Message.objects.get().state == Message.State.SKIPPED
    assert Notice.objects.get().code == "guest_without_email"
    stage.prove(credential)
    stay.save()
    assert stage.job() is None

    # As soon as there is an address, she is told.
    stay.guest_email = "ana@example.com"
    stay.save()
    assert stage.work() == ["succeeded"]
    assert [letter.to for letter in mail.outbox] == [["ana@example.com"]]


def test_an_address_that_is_refused_for_good_is_not_tried_again(stage: Stage, post: Post) -> None:
    post.fails = REFUSED
    stay = stage.book()
    stage.on_the_door(stay)
    assert stage.work() == ["succeeded"]
    message = Message.objects.get()
    assert (message.state, Notice.objects.get().code) == ("skipped", "guest_unreachable")
    assert "5.1.1 no such user" in message.error
    assert stage.job() is None


def test_a_job_called_off_sends_nothing(stage: Stage) -> None:
    stay = stage.book()
    stage.on_the_door(stay)

    def called_off() -> None:
        raise Superseded("called off")

    with pytest.raises(Superseded):
        tell_guest(stay.pk, check=called_off, now=lambda: stage.now)
    assert not mail.outbox
    assert Message.objects.get().state == Message.State.FAILED


def test_a_message_on_the_dead_letter_shelf_waits_for_a_person(stage: Stage, settings: Settings) -> None:
    """No key opens the PIN: the job stops, an operator is told, and planning again does not start it anew."""
    stay = stage.book()
    credential = stage.on_the_door(stay)
    kept = settings.PIN_SEAL_KEYS
    settings.PIN_SEAL_KEYS = ["b3RoZXItdGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXM="]
    assert stage.work() == ["failed"]
    assert "PIN_SEAL_KEYS" in Notice.objects.get(code=f"job_failed.{TELL_GUEST}").text
    stage.prove(credential)
    assert stage.job() is None

    settings.PIN_SEAL_KEYS = kept
    jobs.retry(Job.objects.filter(kind=TELL_GUEST), now=stage.now)
    assert stage.work() == ["succeeded"]
    assert len(mail.outbox) == 1


def test_a_pin_is_never_printed_instead_of_mailed(stage: Stage, settings: Settings, capfd: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    stay = stage.book()
    stage.on_the_door(stay)
    assert stage.work() == ["failed"]
    assert "EMAIL_URL" in Notice.objects.get().text
    assert PIN not in "".join(capfd.readouterr())


def test_letters_ask_machines_not_to_answer(stage: Stage) -> None:
    stage.told(stage.book())
    assert mail.outbox[0].extra_headers["Auto-Submitted"] == "auto-generated"


def test_she_moves_to_another_unit_and_gets_another_pin(stage: Stage) -> None:
    stay = stage.book()
    stage.told(stay)
    other = make_accommodation(name="Leblon 12")
    with stage.committing():
        stay.accommodation = other
        save_by_hand(stay, now=stage.now, actor="test")
    assert stage.job() is None
    new = stage.book(unit=other, external_id="another-stay", guest=Guest()).accommodation.locks.get()
    stage.on_the_door(stay, new, "9361047")
    assert "succeeded" in stage.work()
    assert Message.objects.latest("id").template == "pin_changed"
    assert "PIN: 9361047" in mail.outbox[-1].body
    assert PIN not in mail.outbox[-1].body


class TestDelivered:
    """PIN_KEEP=delivered."""

    @pytest.fixture(autouse=True)
    def keep(self, settings: Settings) -> None:
        settings.PIN_KEEP = "delivered"

    def sealed(self) -> list[bool]:
        return [bool(c.pin_sealed) for c in Credential.objects.order_by("pk")]

    def test_once_told_and_proven_the_readable_copy_is_erased(self, stage: Stage) -> None:
        stay = stage.book()
        stage.on_the_door(stay)
        assert self.sealed() == [True]
        assert stage.work() == ["succeeded"]
        assert self.sealed() == [False]

    def test_a_sleeping_lock_still_needs_it(self, stage: Stage) -> None:
        stay = stage.book()
        credential = stage.accept(stay)
        stage.now = stay.check_in_at
        assert stage.work() == ["succeeded"]
        assert self.sealed() == [True]
        stage.prove(credential)
        assert self.sealed() == [False]

    def test_another_door_still_needs_it(self, stage: Stage) -> None:
        stay = stage.book(doors=2)
        gate, door = stay.accommodation.locks.all()
        stage.on_the_door(stay, gate)
        slow = stage.accept(stay, door)
        stage.now = stay.check_in_at
        assert stage.work() == ["succeeded"]
        assert self.sealed() == [True, True]
        stage.prove(slow)
        assert self.sealed() == [False, False]

    def test_a_new_address_cannot_be_told_what_was_erased(self, stage: Stage) -> None:
        stay = stage.book()
        stage.told(stay)
        stay.guest_email = "other@example.com"
        stay.save()
        assert stage.work() == ["succeeded"]
        assert (Message.objects.latest("id").state, Notice.objects.get().code) == ("skipped", "pin_erased")

    def test_new_dates_are_told_without_the_digits(self, stage: Stage) -> None:
        stay = stage.book(guest=Guest("Ana", "ana@example.com", "", "en"))
        stage.told(stay)
        with stage.committing():
            stay.check_out_date = date(2026, 3, 11)
            save_by_hand(stay, now=stage.now, actor="test")
        credential = Credential.objects.get()
        stage.ask(credential)
        stage.prove(credential)
        assert stage.work() == ["succeeded"]
        assert "Your PIN stays the same" in mail.outbox[-1].body
        assert "the PIN you already have" in mail.outbox[-1].body


def test_kept_for_the_stay_by_default(stage: Stage) -> None:
    stage.told(stage.book())
    assert bool(Credential.objects.get().pin_sealed)
