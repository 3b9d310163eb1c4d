"""Who the guest is and how to reach them: every part of it may be missing."""

from __future__ import annotations

from typing import Any

import pytest

from reservations.facts import Guest
from reservations.stays.payloads import parse_guest

CLIENT: dict[str, Any] = {
    "name": "Ana Teste Souza", "prefLang": "pt_BR", "email": "ana@example.org",
    "contactEmails": [{"adr": "old@example.org", "type": "other"}, {"adr": "main@example.org", "type": "main"}],
    "phones": [{"iso": "+5521900000000", "hint": "Sandbox"}],
}  # fmt: skip


def people(*entries: object) -> dict[str, Any]:
    return {"guestsDetails": {"list": list(entries)}}


def test_the_client_object_tells_all() -> None:
    assert parse_guest({}, CLIENT) == Guest("Ana Teste Souza", "ana@example.org", "+5521900000000", "pt-BR")


def test_without_an_email_of_its_own_the_main_contact_is_taken() -> None:
    assert parse_guest({}, {**CLIENT, "email": None}).email == "main@example.org"


def test_what_is_no_address_is_passed_over() -> None:
    assert parse_guest({}, {"email": "none", "contactEmails": [{"adr": "n/a"}, {"adr": "b@example.org"}]}).email == (
        "b@example.org"
    )


@pytest.mark.parametrize("placeholder", ["adult_1", "child_12", "Infant_1", "baby_2"])
def test_a_placeholder_is_not_a_name(placeholder: str) -> None:
    assert parse_guest(people({"name": placeholder, "primary": True}), {}).name == ""
    assert parse_guest(people({"name": placeholder, "primary": True}, {"name": "Bia"}), {}).name == "Bia"


def test_the_primary_guest_comes_before_the_others() -> None:
    listed = people(
        {"name": "Bia", "phones": [{"iso": "+2"}]}, {"name": "Ana", "primary": True, "phones": [{"iso": "+1"}]}
    )
    assert parse_guest(listed, {}) == Guest(name="Ana", phone="+1")


def test_a_guest_name_on_the_reservation_is_the_last_resort() -> None:
    assert parse_guest({"guestName": "Caio"}, {}).name == "Caio"


@pytest.mark.parametrize("odd", [None, 7, "text", [1], [None], {"list": 3}, {"list": ["Ana", None, 4]}, {"list": {}}])
def test_an_odd_list_of_guests_is_nobody(odd: object) -> None:
    assert parse_guest({"guestsDetails": odd}, {"phones": odd, "contactEmails": odd}) == Guest()


def test_a_line_break_never_gets_into_a_header_line() -> None:
    guest = parse_guest({}, {"name": "Ana\r\nBcc: x@example.org", "email": "a@example.org\nBcc: y@example.org"})
    assert guest.name.isprintable()
    assert guest.email.isprintable()


def test_texts_are_cut_to_what_the_columns_hold() -> None:
    long = {"name": "A" * 300, "email": "a@" + "b" * 300, "phones": [{"iso": "9" * 60}], "prefLang": "x" * 30}
    guest = parse_guest({}, long)
    assert (len(guest.name), len(guest.email), len(guest.phone), len(guest.language)) == (200, 254, 40, 10)
