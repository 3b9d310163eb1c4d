"""P4: the plain PIN exists in the worker's memory, on the lock and with the guest, and nowhere else.

Seven digits that stand alone are looked for: shorter ones turn up by chance in times of day. What real processes leave
behind is looked through in tests/journeys.
"""

from __future__ import annotations

import io
import logging
import re

import fakeredis
import pytest
from django.core import mail
from django.core.management import call_command

from locks import doors
from locks.errors import Transient
from locks.models import Credential
from locks.sealing import unseal
from scheduler import publisher
from tests.builders import NOW, make_accommodation, make_lock, make_reservation
from tests.engine import time_machine_at
from tests.locks.fake_door import FakeDoors


@pytest.mark.django_db
def test_no_digits_in_rows_logs_messages_or_redis(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fake_redis: fakeredis.FakeRedis,
    announced: list[publisher.Message],
) -> None:
    """Through a whole stay with failures on the way: an unknown fault is the likeliest to spill what it held."""
    caplog.set_level(logging.DEBUG)
    street, failures = FakeDoors(), iter([Transient("busy"), ValueError("an unforeseen bug")])
    monkeypatch.setattr(doors, "provider_for", lambda _: street)

    def fail_twice(call: str) -> None:
        if call == "create" and (error := next(failures, None)):
            raise error

    street.before = fail_twice
    with time_machine_at(NOW) as clock:
        unit = make_accommodation()
        lock = make_lock(unit, radio="wifi")
        reservation = make_reservation(unit)
        clock.until(reservation.check_in_at)
        pin = unseal(Credential.objects.get(lock=lock).pin_sealed)
        assert street.on(lock.device_id)[0].pin == pin
        assert any(pin in str(message.body) for message in mail.outbox), "the guest was told"
        assert not any(pin in message.subject for message in mail.outbox)
        dump = io.StringIO()
        call_command("dumpdata", stdout=dump)
        clock.until(reservation.check_out_at)
        call_command("dumpdata", stdout=dump)
    redis_content = repr({key: fake_redis.get(key) for key in fake_redis.keys("*")})
    places = {
        "rows": dump.getvalue(), "logs": caplog.text, "messages to Celery": repr(announced), "redis": redis_content,
        "repr": repr(list(Credential.objects.all())) + str(Credential.objects.get()),
    }  # fmt: skip
    assert [place for place, text in places.items() if holds(text.encode(), pin)] == []
    assert len(dump.getvalue()) > 2000


def holds(content: bytes, pin: str) -> bool:
    return re.search(rb"(?<!\d)%s(?!\d)" % pin.encode(), content) is not None
