"""The pretend Stays account: Basic auth, shapes, searching and paging, and the desk where people book."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.sandbox.conftest import Bench
from tests.sandbox_process import LISTING, WIFI, ZIGBEE

ANA = {"name": "Ana Teste Souza", "email": "ana@example.org", "phone": "+5521900000000", "language": "pt"}
LOGIN = {"Authorization": "Basic " + b64encode(b"stays-login:stays-password").decode()}
DESK = "/sandbox/stays/reservations"


def book(bench: Bench, **wish: Any) -> dict[str, Any]:
    dates = {"checkInDate": "2026-12-01", "checkOutDate": "2026-12-03"}
    return dict(bench.post(DESK, {"listing": LISTING[WIFI], **dates, "guest": ANA, **wish}))


def stays(bench: Bench, path: str) -> Any:
    return bench.get(f"/external/v1{path}", headers=LOGIN)


@pytest.mark.parametrize(
    "path", ["/booking/reservations", "/booking/reservations/x", "/booking/clients/x", "/content/listings"]
)
@pytest.mark.parametrize("login", [None, "Basic " + b64encode(b"stays-login:wrong").decode(), "Bearer x", "Basic ?"])
def test_without_the_right_login_it_is_401(bench: Bench, path: str, login: str | None) -> None:
    headers = {"Authorization": login} if login else {}
    assert bench.http.get(f"/external/v1{path}", headers=headers).status_code == 401


def test_a_booking_is_found_under_each_of_its_names(bench: Bench) -> None:
    booked = book(bench, partnerCode="HMXXXXXXXX")
    for name in (booked["_id"], booked["id"], "HMXXXXXXXX"):
        assert stays(bench, f"/booking/reservations/{name}") == booked


def test_a_single_reservation_has_the_shape_of_stays(bench: Bench) -> None:
    booked = book(bench)
    assert len(booked["_id"]) == 24
    assert (booked["checkInTime"], booked["checkOutTime"], booked["type"]) == ("15:00", "11:00", "booked")
    assert booked["_idlisting"] == LISTING[WIFI]
    first = booked["guestsDetails"]["list"][0]
    assert (first["name"], first["primary"], first["phones"][0]["iso"]) == ("Ana Teste Souza", True, ANA["phone"])
    assert booked["guestsDetails"]["list"][1] == {"type": "adult", "name": "adult_1"}
    assert not {"status", "updatedAt", "partner", "email"} & set(booked)
    assert "ana@example.org" not in str(booked)


def test_the_client_has_the_email_and_the_language(bench: Bench) -> None:
    client = stays(bench, f"/booking/clients/{book(bench)['_idclient']}")
    assert client["contactEmails"] == [{"adr": "ana@example.org", "type": "main"}]
    assert client["phones"][0]["iso"] == ANA["phone"]
    assert (client["prefLang"], client["fName"], client["lName"]) == ("pt_BR", "Ana", "Teste Souza")


def test_a_guest_without_contacts_has_no_such_fields(bench: Bench) -> None:
    client = stays(bench, f"/booking/clients/{book(bench, guest={'name': 'Bo'})['_idclient']}")
    assert not {"contactEmails", "email", "phones", "prefLang"} & set(client)


def test_listings_and_their_settings(bench: Bench) -> None:
    listings = stays(bench, "/content/listings")
    assert [(item["_id"], item["id"]) for item in listings] == [
        ("6908f6db00000000000000a1", "CO01A"),
        ("6908f6db00000000000000b2", "PI02B"),
        ("6908f6db00000000000000c3", "MA03C"),
    ]
    assert stays(bench, "/content/listings/MA03C")["internalName"] == "Manaus Centro 7"
    settings = stays(bench, f"/settings/listing/{LISTING[WIFI]}/booking")
    assert (settings["checkInTime"], settings["checkOutTime"]) == ("15:00", "11:00")
    assert bench.http.get("/external/v1/content/listings/none", headers=LOGIN).status_code == 404


def found(bench: Bench, query: str) -> list[str]:
    return [item["_id"] for item in stays(bench, f"/booking/reservations?{query}")]


def test_a_search_without_types_never_shows_the_cancelled(bench: Bench) -> None:
    booked, canceled = book(bench), book(bench, type="canceled")
    window = "from=2026-12-01&to=2026-12-31&dateType=arrival"
    assert found(bench, window) == [booked["_id"]]
    assert found(bench, f"{window}&type=booked&type=canceled") == [booked["_id"], canceled["_id"]]


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("from=2026-12-01&to=2026-12-01&dateType=arrival", True),
        ("from=2026-12-02&to=2026-12-09&dateType=arrival", False),
        ("from=2026-12-03&to=2026-12-03&dateType=departure", True),
        ("from=2026-12-02&to=2026-12-02&dateType=included", True),
        ("from=2026-12-04&to=2026-12-09&dateType=included", False),
        ("from=2026-11-01&to=2026-11-30&dateType=creation", True),
        ("from=2026-12-01&to=2026-12-01&listingId=CO01A", True),
        ("from=2026-12-01&to=2026-12-01&listingId=PI02B", False),
    ],
)
def test_the_date_types(bench: Bench, query: str, hit: bool) -> None:
    bench.clock.now = 1_795_000_000.0  # 2026-11-18
    booked = book(bench)
    assert found(bench, query) == ([booked["_id"]] if hit else [])


def test_short_objects_have_no_names_of_guests(bench: Bench) -> None:
    book(bench)
    (item,) = stays(bench, "/booking/reservations?from=2026-12-01&to=2026-12-01")
    assert not {"operator", "list"} & {*item, *item["guestsDetails"]}


def test_a_page_has_twenty_at_most(bench: Bench) -> None:
    everything = [book(bench)["_id"] for _ in range(23)]
    window = "from=2026-12-01&to=2026-12-01&dateType=arrival"
    assert found(bench, window) == everything[:20]
    assert found(bench, f"{window}&limit=100") == everything[:20]
    assert found(bench, f"{window}&skip=20") == everything[20:]
    assert found(bench, f"{window}&skip=2&limit=3") == everything[2:5]


@pytest.mark.parametrize("query", ["type=new", "dateType=modification", "from=yesterday", "skip=-1", "limit=x"])
def test_a_search_it_does_not_understand_is_400(bench: Bench, query: str) -> None:
    answer = bench.http.get(f"/external/v1/booking/reservations?{query}", headers=LOGIN)
    assert answer.status_code == 400
    assert answer.get_json()["message"]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"listing": "none"}, "CO01A"),
        ({"checkInDate": "01/12/2026"}, "checkInDate"),
        ({"checkInDate": None}, "checkInDate"),
        ({"checkOutTime": "25:00"}, "checkOutTime"),
        ({"checkOutDate": "2026-12-01", "checkOutTime": "14:59"}, "after"),
        ({"type": "new"}, "booked"),
        ({"guest": "Ana"}, "guest"),
        ({"webhook": "thrice"}, "webhook"),
        ({"webhook": ["twice"]}, "webhook"),
    ],
)
def test_a_wrong_booking_is_refused_in_plain_words(bench: Bench, wrong: dict[str, Any], word: str) -> None:
    wish = {"listing": "CO01A", "checkInDate": "2026-12-01", "checkOutDate": "2026-12-03", "guest": ANA}
    answer = bench.http.post(DESK, json={**wish, **wrong})
    assert answer.status_code == 400
    assert word in answer.get_json()["message"]
    assert bench.get(DESK) == []


def test_times_may_have_seconds(bench: Bench) -> None:
    times = {"checkInTime": "15:00:00", "checkOutTime": "15:00:30", "checkOutDate": "2026-12-01"}
    assert book(bench, **times)["checkOutTime"] == "15:00:30"


@pytest.mark.parametrize("name", ["listing", "_idlisting"])
def test_dates_listing_and_guest_can_change(bench: Bench, name: str) -> None:
    booked = book(bench)
    wish = {"checkOutDate": "2026-12-09", name: "PI02B", "guest": {"email": "new@example.org"}}
    answer = bench.http.patch(f"{DESK}/{booked['id']}", json=wish)

    assert answer.get_json()["checkOutDate"] == "2026-12-09"
    assert answer.get_json()["_idlisting"] == LISTING[ZIGBEE]
    client = stays(bench, f"/booking/clients/{booked['_idclient']}")
    assert (client["email"], client["name"]) == ("new@example.org", "Ana Teste Souza")


def test_a_wrong_change_changes_nothing(bench: Bench) -> None:
    booked = book(bench)
    assert bench.http.patch(f"{DESK}/{booked['_id']}", json={"checkOutDate": "2026-11-01"}).status_code == 400
    assert stays(bench, f"/booking/reservations/{booked['_id']}") == booked


def test_a_deleted_reservation_is_404_everywhere(bench: Bench) -> None:
    booked = book(bench)
    assert bench.http.delete(f"{DESK}/{booked['_id']}").status_code == 204
    assert bench.http.get(f"/external/v1/booking/reservations/{booked['_id']}", headers=LOGIN).status_code == 404
    assert bench.http.delete(f"{DESK}/{booked['_id']}").status_code == 404
    assert bench.http.patch(f"{DESK}/{booked['_id']}", json={}).status_code == 404


def test_the_page_sees_guest_and_listing_beside_each_reservation(bench: Bench) -> None:
    book(bench)
    (item,) = bench.get(DESK)
    assert (item["listingName"], item["client"]["email"]) == ("Copacabana 301", "ana@example.org")


@pytest.mark.parametrize("path", [DESK, f"/sandbox/doors/{WIFI}/try", f"/sandbox/doors/{WIFI}/faults"])
def test_a_body_nested_without_end_is_no_json(bench: Bench, path: str) -> None:
    answer = bench.http.post(path, data=b"[" * 100_000, content_type="application/json")
    assert (answer.status_code, "must be a JSON object" in answer.text) == (400, True)
