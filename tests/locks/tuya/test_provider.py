"""The lock calls: what is sent, in how many calls, and what becomes of odd answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from locks.errors import Configuration, NameTaken, NotFound, PinTaken, Refused, Transient, UnknownOutcome
from locks.provider import AlarmKind, Device, LockProvider, PinState, Window
from locks.tuya import DATA_CENTRES, MemoryTokenStore, TuyaProvider, provider_from
from tests.locks.tuya.fake_cloud import (
    CIPHER,
    CLIENT_ID,
    DOOR,
    LOCK,
    PIN,
    SECRET,
    TICKET,
    FakeCloud,
    now_ms,
    ok,
    refusal,
    soon,
)

CREATE = ("POST", f"{LOCK}/temp-password")
MODIFY = ("PUT", f"{LOCK}/temp-passwords/901/modify-password")
DELETE = ("DELETE", f"{LOCK}/temp-passwords/901")
READ = ("GET", f"{LOCK}/temp-password/901")
LIST = ("GET", f"{LOCK}/temp-passwords")
LOGS = ("GET", f"{LOCK}/open-logs")
TICKET_CALL = ("POST", f"{LOCK}/password-ticket")


def create(provider: LockProvider, window: Window | None = None, name: str = "stay-1") -> str:
    return provider.create_pin(DOOR, name=name, pin=PIN, window=window or soon())


def change(provider: LockProvider, window: Window | None = None) -> None:
    provider.change_pin(DOOR, "901", name="stay-1", pin=PIN, window=window or soon())


def body_of(request: httpx.Request) -> dict[str, Any]:
    body = json.loads(request.content)
    assert isinstance(body, dict)
    return body


def test_create_sends_what_tuya_documents(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*CREATE, ok({"id": 901}))
    window = soon()
    assert create(provider, window) == "901"
    assert body_of(cloud.requests[-1]) == {
        "name": "stay-1",
        "password": CIPHER,
        "password_type": "ticket",
        "ticket_id": TICKET["ticket_id"],
        "effective_time": int(window.starts_at.timestamp()),
        "invalid_time": int(window.ends_at.timestamp()),
        "type": 0,
    }


def test_a_stay_costs_six_calls(provider: TuyaProvider, cloud: FakeCloud) -> None:
    """Tuya's trial plan is counted in calls: token, ticket, create, read, delete, read."""
    cloud.reply(*CREATE, ok({"id": 901}))
    cloud.reply(*READ, ok({"id": 901, "phase": 2}), ok({"id": 901, "phase": 0}))
    cloud.reply(*DELETE, ok(True))
    ref = create(provider)
    assert provider.read_pin(DOOR, ref).state is PinState.ON_LOCK
    provider.delete_pin(DOOR, ref)
    assert provider.read_pin(DOOR, ref).state is PinState.GONE
    assert provider.client.calls == len(cloud.requests) == 6


@pytest.mark.parametrize("ahead", [-120, 120])
def test_a_start_in_the_past_becomes_the_earlier_now_and_where_that_is_refused_the_later(
    provider: TuyaProvider, cloud: FakeCloud, ahead: int
) -> None:
    """Whichever clock is wrong: a guest in house is not shut out until the other one gets there."""
    cloud.reply(*TICKET_CALL, ok(TICKET, t=now_ms() + ahead * 1000))
    cloud.reply(*CREATE, refusal(2318, t=now_ms() + ahead * 1000), ok({"id": 901}, t=now_ms() + ahead * 1000))
    now = datetime.now(UTC)
    create(provider, Window(now - timedelta(days=1), now + timedelta(days=1)))
    first, second = (body_of(one)["effective_time"] - now.timestamp() for one in cloud.seen(*CREATE))
    assert min(ahead, 0) - 1 <= first <= min(ahead, 0) + 5
    assert max(ahead, 0) + 1 <= second <= max(ahead, 0) + 10


def test_a_window_that_is_over_by_tuyas_clock_alone_is_tried_again(provider: TuyaProvider, cloud: FakeCloud) -> None:
    """Such a job must not end on the shelf: by our clock the guest is in."""
    cloud.reply(*TICKET_CALL, ok(TICKET, t=now_ms() + 600_000))
    cloud.reply(*CREATE, refusal(2318, t=now_ms() + 600_000))
    now = datetime.now(UTC)
    with pytest.raises(Transient):
        create(provider, Window(now - timedelta(hours=1), now + timedelta(minutes=5)))


def test_a_window_that_has_begun_begins_no_later_than_now(provider: TuyaProvider, cloud: FakeCloud) -> None:
    """A guest in house is never shut out, not even for the rest of a second."""
    cloud.reply(*MODIFY, ok(True))
    now = datetime.now(UTC)
    change(provider, Window(now - timedelta(days=1), now + timedelta(days=1)))
    start = body_of(cloud.requests[-1])["effective_time"]
    assert int(now.timestamp()) <= start <= datetime.now(UTC).timestamp()


def test_a_window_is_never_widened_by_rounding(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*CREATE, ok({"id": 901}))
    whole = soon()
    odd = timedelta(microseconds=500_000)
    create(provider, Window(whole.starts_at + odd, whole.ends_at + odd))
    body = body_of(cloud.requests[-1])
    assert body["effective_time"] == whole.starts_at.timestamp() + 1
    assert body["invalid_time"] == whole.ends_at.timestamp()


def test_a_window_that_is_over_is_not_even_sent(provider: TuyaProvider, cloud: FakeCloud) -> None:
    now = datetime.now(UTC)
    with pytest.raises(Refused):
        create(provider, Window(now - timedelta(days=2), now - timedelta(days=1)))
    assert not cloud.seen(*CREATE)


@pytest.mark.parametrize("name", ["", "x" * 21])
def test_a_name_no_lock_takes_is_not_even_sent(provider: TuyaProvider, cloud: FakeCloud, name: str) -> None:
    with pytest.raises(Refused):
        create(provider, name=name)
    assert not cloud.requests


def test_a_cloud_that_takes_no_present_second_gets_a_coming_one(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*MODIFY, refusal(2318), ok(True))
    now = datetime.now(UTC)
    change(provider, Window(now - timedelta(days=1), now + timedelta(days=1)))
    first, second = (body_of(one)["effective_time"] for one in cloud.seen(*MODIFY))
    assert first <= now.timestamp() + 1 < second <= now.timestamp() + 10


def test_a_now_that_came_too_late_is_tried_again(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*CREATE, refusal(2318))
    with pytest.raises(Transient) as caught:
        create(provider)
    assert caught.value.brand_code == "tuya_2318"


def test_a_stale_ticket_is_replaced_once(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*TICKET_CALL, ok({**TICKET, "ticket_id": "old"}), ok({**TICKET, "ticket_id": "new"}))
    cloud.reply(*MODIFY, refusal(1109), ok(True))
    change(provider)
    assert [body_of(one)["ticket_id"] for one in cloud.seen(*MODIFY)] == ["old", "new"]


def test_1109_with_a_fresh_ticket_is_final(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*CREATE, refusal(1109))
    with pytest.raises(Refused):
        create(provider)
    assert len(cloud.seen(*CREATE)) == 2


def test_a_ticket_about_to_end_is_waited_out(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*TICKET_CALL, ok({**TICKET, "expire_time": 0}), ok({**TICKET, "ticket_id": "new"}))
    cloud.reply(*CREATE, ok({"id": 901}))
    create(provider)
    assert body_of(cloud.requests[-1])["ticket_id"] == "new"


@pytest.mark.parametrize(
    "ticket", [None, {}, {**TICKET, "ticket_key": None}, {**TICKET, "expire_time": "soon"}, "9wxxoLM"]
)
def test_an_answer_without_a_ticket_is_transient(provider: TuyaProvider, cloud: FakeCloud, ticket: object) -> None:
    cloud.reply(*TICKET_CALL, ok(ticket))
    with pytest.raises(Transient):
        create(provider)


def test_a_ticket_that_does_not_fit_the_secret_stops(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*TICKET_CALL, ok({**TICKET, "ticket_key": "00" * 32}))
    with pytest.raises(Refused):
        create(provider)


def test_a_timeout_of_the_ticket_leaves_no_doubt(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*TICKET_CALL, httpx.ReadTimeout("late"))
    with pytest.raises(Transient):
        create(provider)


@pytest.mark.parametrize("result", [True, {}, None, {"id": None}])
def test_a_creation_without_reference_must_be_looked_up(
    provider: TuyaProvider, cloud: FakeCloud, result: object
) -> None:
    cloud.reply(*CREATE, ok(result))
    with pytest.raises(UnknownOutcome):
        create(provider)


@pytest.mark.parametrize(("code", "error"), [(2316, NameTaken), (2322, PinTaken)])
def test_taken_names_and_digits_have_their_own_error(
    provider: TuyaProvider, cloud: FakeCloud, code: int, error: type[Exception]
) -> None:
    cloud.reply(*CREATE, refusal(code))
    with pytest.raises(error):
        create(provider)


def test_changing_what_is_gone_says_so(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*MODIFY, refusal(2321))
    with pytest.raises(NotFound):
        change(provider)


def test_success_with_false_is_not_success(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*MODIFY, ok(False))
    cloud.reply(*DELETE, ok(False))
    with pytest.raises(UnknownOutcome):
        change(provider)
    with pytest.raises(UnknownOutcome):
        provider.delete_pin(DOOR, "901")


@pytest.mark.parametrize("code", [2310, 2321, 2323])
def test_removing_what_is_gone_is_fine(provider: TuyaProvider, cloud: FakeCloud, code: int) -> None:
    cloud.reply(*DELETE, refusal(code))
    cloud.reply(*READ, refusal(code))
    provider.delete_pin(DOOR, "901")
    assert provider.read_pin(DOOR, "901").state is PinState.GONE


@pytest.mark.parametrize(("phase", "fine"), [(0, True), (3, True), (2, False), (9, False)])
def test_a_conflict_on_removal_is_settled_by_reading(
    provider: TuyaProvider, cloud: FakeCloud, phase: int, fine: bool
) -> None:
    cloud.reply(*DELETE, refusal(2324))
    cloud.reply(*READ, ok({"id": 901, "phase": phase}))
    if fine:
        provider.delete_pin(DOOR, "901")
    else:
        with pytest.raises(UnknownOutcome):
            provider.delete_pin(DOOR, "901")


@pytest.mark.parametrize("code", [1000, 2010, 2017])
def test_an_unknown_device_never_means_a_pin_is_gone(provider: TuyaProvider, cloud: FakeCloud, code: int) -> None:
    cloud.reply(*READ, refusal(code))
    with pytest.raises(Refused):
        provider.read_pin(DOOR, "901")


def test_an_unreadable_pin_is_unknown(provider: TuyaProvider, cloud: FakeCloud) -> None:
    cloud.reply(*READ, ok(None), ok([]))
    assert [provider.read_pin(DOOR, "901").state for _ in range(2)] == [PinState.UNKNOWN] * 2


def test_list_leaves_out_what_is_gone(provider: TuyaProvider, cloud: FakeCloud) -> None:
    pins = [{"password_id": 901, "name": "a", "phase": 1}, {"id": 902, "name": "b", "phase": 0}]
    cloud.reply(*LIST, ok(pins), ok({"list": pins}), ok({"records": pins}))
    for _ in range(3):
        assert [(one.ref, one.name) for one in provider.list_pins(DOOR)] == [("901", "a")]
    assert cloud.requests[-1].url.query == b"valid=true"


@pytest.mark.parametrize("result", [None, {}, [{"name": "no id"}], "x"])
def test_an_unreadable_list_is_never_an_empty_one(provider: TuyaProvider, cloud: FakeCloud, result: object) -> None:
    cloud.reply(*LIST, ok(result))
    with pytest.raises(Transient):
        provider.list_pins(DOOR)


def test_openings_are_read_page_by_page_and_cut_to_the_asked_time(provider: TuyaProvider, cloud: FakeCloud) -> None:
    since = datetime(2026, 11, 1, tzinfo=UTC)
    stamps = [int((since + timedelta(minutes=m)).timestamp() * 1000) for m in range(-1, 150)]
    entries = [{"update_time": stamp, "status": {"code": "unlock_card", "value": 1}} for stamp in reversed(stamps)]

    def page(request: httpx.Request) -> httpx.Response:
        number, size = int(request.url.params["page_no"]), int(request.url.params["page_size"])
        return ok({"total": len(entries), "logs": entries[(number - 1) * size : number * size]})

    cloud.reply(*LOGS, page)
    until = since + timedelta(minutes=120)
    openings = provider.openings(DOOR, since, until)
    assert [one.at for one in openings] == [since + timedelta(minutes=m) for m in range(120)]
    assert len(cloud.seen(*LOGS)) == 2


def test_device_is_read(provider: TuyaProvider, cloud: FakeCloud) -> None:
    path = f"/v1.0/devices/{DOOR.device_id}"
    device = {"name": "Porta", "online": True, "status": [{"code": "residual_electricity", "value": 66}]}
    cloud.reply("GET", path, ok(device), ok(None))
    reading = provider.read_device(DOOR)
    assert (reading.name, reading.online, reading.battery_percent) == ("Porta", True, 66)
    with pytest.raises(Transient):
        provider.read_device(DOOR)


@pytest.mark.parametrize("ref", ["", "..", "1/../../x", "1?x=1", "1\n"])
def test_a_reference_cannot_lead_elsewhere(provider: TuyaProvider, cloud: FakeCloud, ref: str) -> None:
    for call in (provider.read_pin, provider.delete_pin):
        with pytest.raises(Refused):
            call(DOOR, ref)
    assert not cloud.requests


@pytest.mark.parametrize(("device_id", "radio"), [("", "wifi"), ("a/b", "wifi"), ("a", "lora")])
def test_a_device_is_checked(device_id: str, radio: Any) -> None:
    with pytest.raises(ValueError, match=r"device id|radio"):
        Device(device_id, radio)


def test_a_window_is_checked() -> None:
    start = datetime(2026, 11, 22, tzinfo=UTC)
    with pytest.raises(ValueError, match="ends after"):
        Window(start, start)
    with pytest.raises(ValueError, match="aware UTC"):
        Window(start.replace(tzinfo=None), start + timedelta(days=1))


@pytest.mark.parametrize("base_url", [*DATA_CENTRES, "EU", "http://127.0.0.1:8100", " https://example.org/ "])
def test_base_url_is_a_data_centre_or_a_url(base_url: str) -> None:
    assert provider_from(base_url, CLIENT_ID, SECRET, MemoryTokenStore())


@pytest.mark.parametrize(
    ("base_url", "client_id", "secret"),
    [("", CLIENT_ID, SECRET), ("mars", CLIENT_ID, SECRET), ("eu", "", SECRET), ("eu", CLIENT_ID, "too-short")],
)
def test_wrong_settings_are_said_at_the_start(base_url: str, client_id: str, secret: str) -> None:
    with pytest.raises(Configuration) as caught:
        provider_from(base_url, client_id, secret, MemoryTokenStore())
    assert "TUYA_" in str(caught.value)
    assert "too-short" not in str(caught.value)


def test_alarms_are_read_until_a_page_lies_before_what_was_asked(provider: TuyaProvider, cloud: FakeCloud) -> None:
    since = datetime(2026, 3, 6, 12, tzinfo=UTC)

    def line(minutes: int, code: str, value: object) -> dict[str, object]:
        at = int((since + timedelta(minutes=minutes)).timestamp() * 1000)
        return {"update_time": at, "nick_name": "", "status": [{"code": code, "value": value}]}

    first = [line(9, "alarm_lock", "pry"), line(5, "hijack", True), line(2, "alarm_lock", "wrong_password")]
    cloud.reply(
        "GET",
        f"{LOCK}/alarm-logs",
        ok({"total": 250, "records": first}),
        ok({"total": 250, "records": [line(-1, "doorbell", True)]}),
    )
    alarms = provider.alarms(DOOR, since, since + timedelta(minutes=9))
    assert [(one.kind, one.detail) for one in alarms] == [
        (AlarmKind.WRONG_PIN, "wrong_password"),
        (AlarmKind.DURESS, "hijack"),
    ]
    assert len(cloud.seen("GET", f"{LOCK}/alarm-logs")) == 2


OFFLINE = f"/v1.1/devices/{DOOR.device_id}/door-lock/offline-temp-password"


def test_an_offline_code_is_asked_for_in_whole_hours_and_kept_as_text(provider: TuyaProvider, cloud: FakeCloud) -> None:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
    window = Window(start + timedelta(minutes=20), start + timedelta(days=2, minutes=50))
    ends = start + timedelta(days=2)
    told = {
        "offline_temp_password_id": 77,
        "offline_temp_password": "0282554135",
        "effective_time": int(start.timestamp()),
        "invalid_time": int(ends.timestamp()),
    }
    cloud.reply("POST", OFFLINE, ok(told))
    code = provider.create_offline_code(DOOR, name="ana", window=window)
    assert (code.code, code.window, code.ref) == ("0282554135", Window(start, ends), "offline-77")
    assert "0282554135" not in repr(code)
    sent = json.loads(cloud.seen("POST", OFFLINE)[0].content)
    assert sent == {
        "name": "ana",
        "type": "multiple",
        "effective_time": told["effective_time"],
        "invalid_time": told["invalid_time"],
    }


@pytest.mark.parametrize(
    ("starts_in", "lasts"), [(timedelta(hours=25, minutes=1), timedelta(days=1)), (timedelta(), timedelta(seconds=1))]
)
def test_an_offline_code_too_early_or_for_no_full_hour_is_not_even_asked_for(
    provider: TuyaProvider, cloud: FakeCloud, starts_in: timedelta, lasts: timedelta
) -> None:
    start = datetime.now(UTC).replace(minute=30) + starts_in
    with pytest.raises(Refused):
        provider.create_offline_code(DOOR, name="ana", window=Window(start, start + lasts))
    assert cloud.seen("POST", OFFLINE) == []


@pytest.mark.parametrize("reply", [ok({"offline_temp_password_id": 1}), ok(None), httpx.ReadTimeout("late")])
def test_a_lost_offline_code_is_simply_asked_for_again(
    provider: TuyaProvider, cloud: FakeCloud, reply: httpx.Response
) -> None:
    cloud.reply("POST", OFFLINE, reply)
    start = datetime.now(UTC)
    with pytest.raises(Transient):
        provider.create_offline_code(DOOR, name="ana", window=Window(start, start + timedelta(days=1)))
