"""The story: booked, planned, a PIN an hour before check-in, a worker killed, told, extended, over, removed.

The product's own code runs; pretended are the door, the mail server, and the time. It runs on the configured database
and with the configured broker, so whoever calls it sees to it that these are throw-aways (``tests/apart.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from unittest import mock

from django.core import mail

from locks import doors
from locks.models import Lock
from reservations.facts import Guest, ReservationFacts
from reservations.models import Reservation
from reservations.services import save_facts
from scheduler import clock
from scheduler.services import jobs_of
from tests.builders import NOW, make_accommodation, make_facts, make_lock
from tests.engine import TimeMachine, time_machine_at
from tests.locks.fake_door import FakeDoors, Killed

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
DONE = {"succeeded": "done", "retry": "to be tried again", "waiting": "put back"}


class Story:
    """Tells it line by line to ``say``, each with the unit's own time."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say
        self._street = FakeDoors()
        self._letters = 0

    def tell(self) -> None:
        with time_machine_at(NOW) as time, mock.patch.object(doors, "provider_for", return_value=self._street):
            mail.outbox = []
            self._time = time
            time.watch = lambda kind, outcome: self._note(f"   {kind}: {DONE.get(outcome, outcome)}")
            self._begin()
            self._gets_her_pin()
            self._stays_longer()
            self._leaves()

    # --- the chapters -----------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._unit = make_accommodation(name="Copacabana 301")
        make_lock(self._unit, name="Door of Copacabana 301", radio=Lock.Radio.ZIGBEE)
        self._note(f"{self._unit} has one door; times are those of {self._unit.zone}")
        self._facts = make_facts(self._unit, guest=Guest("Ana", "ana@example.com", "", "en"))
        self._stay = self._hear(self._facts)
        self._note(f"Ana books from {self._facts.check_in_date} 15:00 to {self._facts.check_out_date} 11:00")
        self._show_plan()

    def _gets_her_pin(self) -> None:
        """The worker is killed when the lock has the PIN and nobody has written that down."""
        self._street.after = self._kill
        try:
            self._time.until(self._stay.check_in_at - HOUR)
        except Killed:
            self._note("   the worker is killed: the lock has taken the PIN, and the answer is lost")
        self._street.after = lambda _: None
        self._time.bury_the_dead()
        self._note("   its lease has run out: the job goes to another, which finds the PIN instead of making a second")
        self._time.until(self._stay.check_in_at - SECOND)
        self._pin = self._read_mail()
        self._try_door()
        self._time.until(self._stay.check_in_at)
        self._try_door()

    def _stays_longer(self) -> None:
        self._time.until(self._stay.check_in_at + 20 * HOUR)
        self._facts = replace(self._facts, check_out_date=self._facts.check_out_date + timedelta(days=1))
        old_end = self._stay.check_out_at
        self._stay = self._hear(self._facts)
        self._note(f"Ana stays until {self._facts.check_out_date}: the same digits, a longer window")
        self._time.until(self._time.now + SECOND)
        assert self._read_mail() == self._pin
        self._time.until(old_end)
        self._note("the old check-out")
        self._try_door()

    def _leaves(self) -> None:
        self._time.until(self._stay.check_out_at)
        self._note("check-out")
        self._try_door()
        self._time.until(self._stay.check_out_at + HOUR)
        self._note(f"the door holds {len(self._street.held)} PINs; what became of the jobs:")
        self._show_plan()

    # --- what one sees ----------------------------------------------------------------------------------------------

    def _hear(self, facts: ReservationFacts) -> Reservation:
        return save_facts(facts, facts_at=clock.now()).reservation

    def _kill(self, call: str) -> None:
        if call == "create":
            raise Killed

    def _show_plan(self) -> None:
        for job in jobs_of(self._stay.subject).order_by("run_at", "pk"):
            self._note(f"   {job.kind} at {job.run_at.astimezone(self._unit.zone):%d %b %H:%M}: {job.state}")

    def _read_mail(self) -> str:
        """The digits in the newest letter, which is a new one."""
        assert len(mail.outbox) > self._letters, "no new letter came"
        self._letters = len(mail.outbox)
        letter = mail.outbox[-1]
        [pin] = re.findall(r"PIN: (\d+)", str(letter.body))
        self._note(f"Ana reads: {letter.subject!r} ... PIN: {pin}")
        return str(pin)

    def _try_door(self) -> None:
        now = self._time.now
        held = [one for one in self._street.held.values() if one.pin == self._pin]
        opens = any(one.window.starts_at <= now < one.window.ends_at for one in held)
        self._note(f"Ana types {self._pin}: the door {'opens' if opens else 'stays shut'}")

    def _note(self, what: str) -> None:
        self._say(f"{clock.now().astimezone(self._unit.zone):%a %d %b %H:%M:%S}  {what}")

    _time: TimeMachine
    _facts: ReservationFacts
    _stay: Reservation
    _pin: str
