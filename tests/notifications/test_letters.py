"""What a guest reads, in three languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from locks import sealing
from locks.models import Credential, Fallback, Lock
from locks.store import note
from notifications.decide import Template
from notifications.models import Message
from notifications.planning import plan_telling
from reservations.facts import Guest
from reservations.models import Reservation
from reservations.services import end
from tests.builders import make_accommodation, make_lock
from tests.notifications.conftest import PIN, Stage

TEMPLATES = Path(__file__).parents[2] / "notifications" / "templates" / "notifications"
LANGUAGES = ("pt-br", "en", "es")


def letters() -> list[EmailMultiAlternatives]:
    return [letter for letter in mail.outbox if isinstance(letter, EmailMultiAlternatives)]


def html_of(letter: EmailMultiAlternatives) -> str:
    [alternative] = letter.alternatives
    assert alternative[1] == "text/html"
    return str(alternative[0])


def guest(language: str, name: str = "ANA TESTE") -> Guest:
    return Guest(name, "ana@example.com", "", language)


@pytest.mark.parametrize(
    ("language", "subject", "sentences"),
    [
        (
            "pt_BR",
            "Seu PIN para Copacabana 301",
            ["Olá, Ana!", "Check-in: sexta-feira, 6 de março, 15:00", "Abre: Porta 1"],
        ),
        ("en-US", "Your PIN for Copacabana 301", ["Hello Ana,", "Check-in: Friday, 6 March, 15:00", "Opens: Porta 1"]),
        ("es", "Su PIN para Copacabana 301", ["Hola, Ana:", "Check-out: lunes, 9 de marzo, 11:00", "Abre: Porta 1"]),
    ],
)
def test_the_pin_in_her_language(stage: Stage, language: str, subject: str, sentences: list[str]) -> None:
    stage.told(stage.book(guest=guest(language)))
    [letter] = letters()
    assert (letter.subject, letter.to) == (subject, ["ana@example.com"])
    lines = str(letter.body).splitlines()
    # The digits stand alone on their line, so that they can be copied.
    assert f"PIN: {PIN}" in lines
    assert all(sentence in lines for sentence in sentences)
    assert "UTC" not in letter.body


def test_the_html_says_the_same_and_asks_nobody(stage: Stage) -> None:
    unit = make_accommodation(name="Casa <b>& Mar</b>")
    stage.told(stage.book(unit=unit, guest=guest("pt-BR", "<Ana>")))
    html = html_of(letters()[0])
    assert f">{PIN}</div>" in html
    assert "Casa &lt;b&gt;&amp; Mar&lt;/b&gt;" in html
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"https?:|src=|url\(|<link|@import", html)
    assert html.count("<div") == html.count("</div>")
    # The plain text is not HTML and shows names as they are.
    assert "Casa <b>& Mar</b>" in str(letters()[0].body)


def test_the_zone_is_named_where_it_is_not_the_usual_one(stage: Stage) -> None:
    stage.told(stage.book(unit=make_accommodation(timezone="America/Manaus"), guest=guest("pt-BR")))
    assert "Hora local: Manaus, UTC-4" in letters()[0].body


@pytest.mark.parametrize(("language", "hint"), [("pt-BR", "acordá-la"), ("en", "to wake it"), ("es", "despertarla")])
def test_a_lock_that_sleeps_comes_with_how_to_wake_it(stage: Stage, language: str, hint: str) -> None:
    stay = stage.book(guest=guest(language))
    stage.accept(stay)
    stage.now = stay.check_in_at
    stage.later(minutes=-30)
    assert stage.work() == ["succeeded"]
    assert hint in letters()[0].body
    assert f"PIN: {PIN}" in letters()[0].body


def test_a_door_that_has_proven_the_pin_needs_no_hint(stage: Stage) -> None:
    stage.told(stage.book(guest=guest("en")))
    assert "to wake it" not in letters()[0].body


def test_the_same_digits_are_shown_once_with_all_their_doors(stage: Stage) -> None:
    stay = stage.book(doors=2)
    for lock in stay.accommodation.locks.all():
        stage.on_the_door(stay, lock)
    assert stage.work() == ["succeeded"]
    body = str(letters()[0].body)
    assert body.count(PIN) == 1
    assert "Abre: Porta 1, Porta 2" in body


def test_doors_with_pins_of_their_own_are_listed(stage: Stage) -> None:
    stay = stage.book(doors=2)
    gate = make_lock(stay.accommodation, name="Portão")
    one, two, _gate = stay.accommodation.locks.order_by("name")
    stage.on_the_door(stay, one)
    stage.on_the_door(stay, two)
    stage.on_the_door(stay, gate, "936104")
    assert stage.work() == ["succeeded"]
    body = str(letters()[0].body)
    assert f"Porta 1, Porta 2:\nPIN: {PIN}\n\nPortão:\nPIN: 936104\n" in body
    assert "Estes são os PINs" in body
    html = html_of(letters()[0])
    assert (html.count(PIN), html.count("936104")) == (1, 1)


def test_a_pin_that_no_lock_accepted_is_not_in_the_letter(stage: Stage) -> None:
    stay = stage.book(doors=2)
    gate, door = stay.accommodation.locks.all()
    stage.on_the_door(stay, gate)
    refused = stage.accept(stay, door, "936104")
    Credential.objects.filter(pk=refused.pk).update(provider_ref="", state=Credential.State.FAILED)
    stage.now = stay.check_in_at
    assert stage.work() == ["succeeded"]
    assert "936104" not in str(letters()[0].body)
    # Once the lock takes it, she is told of it.
    stage.ask(refused)
    stage.prove(refused)
    assert stage.work() == ["succeeded"]
    assert Message.objects.latest("id").template == Template.PIN_CHANGED.value
    assert "PIN: 936104" in str(letters()[1].body)


def test_a_cancellation_names_the_unit_and_no_pin(stage: Stage) -> None:
    stay = stage.book(guest=guest("en"))
    stage.told(stay)
    stay.status = Reservation.Status.CANCELED
    stay.save()
    assert stage.work() == ["succeeded"]
    letter = letters()[1]
    assert letter.subject == "Your stay at Copacabana 301 has been cancelled"
    assert "PIN:" not in letter.body
    assert "#" not in letter.body
    html = html_of(letter)
    assert html.count("<div") == html.count("</div>")


# Per language: once every removal is proven, and before.
CLOSED = {
    "pt-br": ("não abre mais a porta", "não vale mais e vai deixar de abrir a porta"),
    "en": ("no longer opens the door", "is no longer valid and will stop opening the door"),
    "es": ("ya no abre la puerta", "ya no es válido y dejará de abrir la puerta"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("gone", [True, False])
def test_a_cancellation_claims_no_more_of_the_door_than_is_proven(stage: Stage, language: str, gone: bool) -> None:
    """The letter does not wait: a sleeping lock or a paused queue may hold the removal up for hours."""
    stay = stage.book(doors=2, guest=guest(language))
    one, two = (stage.on_the_door(stay, lock) for lock in stay.accommodation.locks.all())
    stage.work()
    for credential in (one, two) if gone else (one,):
        note(credential, wanted=False, state=Credential.State.ABSENT, removed_at=stage.now, pin_sealed=b"")
    end(stay, Reservation.Status.CANCELED, facts_at=stage.now)
    assert stage.work() == ["succeeded"]
    said, unsaid = CLOSED[language] if gone else reversed(CLOSED[language])
    for text in (str(letters()[1].body), html_of(letters()[1])):
        assert said in text
        assert unsaid not in text


@pytest.mark.parametrize("kind", ["backup", "offline"])
def test_a_replacement_that_still_opens_is_not_denied_either(stage: Stage, kind: str) -> None:
    stay = stage.book(guest=guest("en"))
    stage.now = stay.check_in_at
    given = give_instead(stage, stay, kind)
    with stage.committing():
        plan_telling(stay.pk, now=stage.now)
    stage.work()
    if given.credential is not None:
        note(given.credential, wanted=False, asked_at=stage.now)
    end(stay, Reservation.Status.CANCELED, facts_at=stage.now)
    assert stage.work() == ["succeeded"]
    assert CLOSED["en"][1] in letters()[1].body


def give_instead(stage: Stage, stay: Reservation, kind: str, code: str = "5550132") -> Fallback:
    """At her first door she was given another code, the way ``locks.replacing`` writes it down."""
    lock = stay.accommodation.locks.order_by("name")[0]
    shared = {"reservation": stay, "lock": lock, "shut_from": stay.check_in_at, "handed_out_at": stay.check_in_at}
    shared |= {"starts_at": stay.check_in_at, "ends_at": stay.check_out_at}
    if kind == "offline":
        digits = {"code_sealed": sealing.seal(code), "code_fingerprint": sealing.fingerprint(code)}
        return Fallback.objects.create(kind=kind, **shared, **digits)
    backup = Credential.objects.create(
        purpose="backup", lock=lock, name=f"SL backup {lock.pk}", pin_sealed=sealing.seal(code),
        pin_fingerprint=sealing.fingerprint(code), starts_at=stay.check_in_at, ends_at=stay.check_out_at,
    )  # fmt: skip
    return Fallback.objects.create(kind=kind, credential=backup, **shared)


# Per language: in the subject, void, may start later, first use.
INSTEAD = {
    "pt-br": ("use este código no lugar", "não vale mais nesta porta", "pode passar a funcionar", "antes de sábado"),
    "en": ("please use this code instead", "is void at this door", "may start to work", "before Saturday"),
    "es": ("use este código en lugar", "ya no vale en esta puerta", "puede empezar a funcionar", "antes del sábado"),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["backup", "offline"])
def test_use_this_one_instead(stage: Stage, language: str, kind: str) -> None:
    stay = stage.book(guest=guest(language))
    stage.accept(stay)
    stage.now = stay.check_in_at - timedelta(minutes=30)
    assert stage.work() == ["succeeded"]
    stage.now = stay.check_in_at
    give_instead(stage, stay, kind)
    with stage.committing():
        plan_telling(stay.pk, now=stage.now)
    assert stage.work() == ["succeeded"]
    first, second = letters()
    subject, void, late, first_by = INSTEAD[language]
    assert first.subject != second.subject
    assert subject in second.subject
    body = str(second.body)
    assert "PIN: 5550132" in body.splitlines()
    assert PIN not in body
    assert (void in body, late in body, first_by in body) == (
        (kind == "backup"),
        (kind == "offline"),
        (kind == "offline"),
    )
    assert "6" in body.split("5550132")[1].splitlines()[2], "from when to when"
    html = html_of(second)
    assert f">{'5550132'}</div>" in html
    assert (void if kind == "backup" else late) in html
    assert html.count("<div") == html.count("</div>")


def test_at_the_other_doors_the_first_pin_stays(stage: Stage) -> None:
    stay = stage.book(doors=2, guest=guest("en"))
    one, two = stay.accommodation.locks.order_by("name")
    stage.accept(stay, one)
    stage.on_the_door(stay, two)
    stage.now = stay.check_in_at
    assert stage.work() == ["succeeded"]
    give_instead(stage, stay, "backup")
    with stage.committing():
        plan_telling(stay.pk, now=stage.now)
    assert stage.work() == ["succeeded"]
    body = str(letters()[1].body)
    assert "(Porta 2: the PIN that you have stays as it is.)" in body
    assert "Opens: Porta 1\n" in body


def test_told_nothing_yet_the_replacement_is_simply_her_code(stage: Stage) -> None:
    stay = stage.book(guest=guest("en"))
    give_instead(stage, stay, "backup")
    with stage.committing():
        plan_telling(stay.pk, now=stage.now)
    assert stage.work() == ["succeeded"]
    [letter] = letters()
    assert letter.subject == "Your PIN for Copacabana 301"
    assert "first PIN" not in str(letter.body)


def test_no_pin_in_any_subject(stage: Stage) -> None:
    for language in LANGUAGES:
        unit = make_accommodation()
        make_lock(unit, name="Porta")
        stage.told(stage.book(unit=unit, doors=0, guest=guest(language), external_id=f"e{language}"))
    assert len(letters()) == 3
    assert not any(PIN in letter.subject for letter in letters())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_door_that_has_not_confirmed_is_named_with_what_helps_there(stage: Stage, language: str) -> None:
    stay = stage.book(doors=2, guest=guest(language))
    Lock.objects.filter(name="Porta 2").update(radio=Lock.Radio.BLE)
    for lock in stay.accommodation.locks.order_by("name"):
        stage.accept(stay, lock)
    stage.now = stay.check_in_at - timedelta(minutes=20)
    stage.work()
    [letter] = letters()
    notes = [line for line in str(letter.body).splitlines() if "(Porta" in line]
    assert [("(Porta 1)" in note, "(Porta 2)" in note) for note in notes] == [(True, False), (False, True)]
    keypad = {"en": "touch the keypad", "es": "toque el teclado", "pt-br": "toque no teclado"}[language]
    assert [keypad in note for note in notes] == [True, False]
    assert html_of(letter).count('class="note"') == 2


def test_a_door_that_has_confirmed_is_no_cause_for_a_note(stage: Stage) -> None:
    stage.told(stage.book())
    assert "(Porta 1)" not in str(letters()[0].body)
    assert 'class="note"' not in html_of(letters()[0])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", list(Template))
def test_every_message_has_its_own_sentences_in_every_language(template: Template, language: str) -> None:
    own = (TEMPLATES / f"{template.value}.{language}.txt").read_text()
    assert {"subject", "opening"} <= blocks(own)
    [subject] = [line for line in own.splitlines() if "block subject" in line]
    assert "pin }}" not in subject


def test_all_layouts_and_languages_have_the_same_blocks() -> None:
    read: Callable[[str], set[str]] = lambda name: blocks((TEMPLATES / name).read_text())  # noqa: E731
    shared = read("common.en.txt")
    assert read("common.pt-br.txt") == read("common.es.txt") == shared
    assert read("base.txt") == read("base.html") == shared | {"subject", "opening"}


def blocks(text: str) -> set[str]:
    return set(re.findall(r"{% block (\w+) %}", text))
