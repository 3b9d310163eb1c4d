"""A provider behind two circuit breakers: one for the whole account, one for each lock.

What the account cannot do (plan ended, secret wrong, address not allowed) stops no job for good: the jobs wait, one
person is told once, and a probe now and then finds out when it is mended. A lock that does not answer is left alone
for a while, so that it costs no calls. The call itself is the brand's; nothing here knows which brand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog

from locks import breaker
from locks.breaker import Policy, Shelf, State
from locks.errors import AccountBroken, AccountPaused, DoorError, Limited, Paused, WaitForDevice
from locks.provider import (
    Capabilities,
    Device,
    DeviceReading,
    DoorAlarm,
    DoorOpening,
    LockProvider,
    OfflineCode,
    PinReading,
    Window,
)

log = structlog.get_logger(__name__)

# The cloud as a whole does not answer: many failures in a row, and no lock that works in between.
CLOUD = Policy(threshold=10, within=60, pauses=(15, 30, 60, 120, 300))
# The account is refused: the first refusal says all.
ACCOUNT = Policy(threshold=1, within=60, pauses=(60, 120, 300, 900))
# No longer than a job's own patience: an open breaker saves calls, it must not make a guest wait.
LOCK = Policy(threshold=5, within=900, pauses=(30, 60))


@dataclass(frozen=True)
class Probes:
    """Which of the two breakers this call is the probe of."""

    account: bool
    lock: bool


class GuardedProvider:
    """Implements ``LockProvider``. ``on_change`` hears (is_open, reason) when the account's breaker opens or closes."""

    def __init__(
        self,
        provider: LockProvider,
        shelf: Shelf,
        *,
        account: str,
        on_change: Callable[[bool, str], None] = lambda is_open, reason: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.provider = provider
        self.account = account
        self._shelf = shelf
        self._on_change = on_change
        self._clock = clock

    def capabilities(self, device: Device) -> Capabilities:
        return self.provider.capabilities(device)

    def create_pin(self, device: Device, *, name: str, pin: str, window: Window) -> str:
        with self._guarded(device):
            return self.provider.create_pin(device, name=name, pin=pin, window=window)

    def read_pin(self, device: Device, ref: str) -> PinReading:
        with self._guarded(device):
            return self.provider.read_pin(device, ref)

    def list_pins(self, device: Device, *, expired: bool = False) -> list[PinReading]:
        with self._guarded(device):
            return self.provider.list_pins(device, expired=expired)

    def change_pin(self, device: Device, ref: str, *, name: str, pin: str, window: Window) -> None:
        with self._guarded(device):
            self.provider.change_pin(device, ref, name=name, pin=pin, window=window)

    def delete_pin(self, device: Device, ref: str) -> None:
        with self._guarded(device):
            self.provider.delete_pin(device, ref)

    def read_device(self, device: Device) -> DeviceReading:
        with self._guarded(device):
            return self.provider.read_device(device)

    def openings(self, device: Device, since: datetime, until: datetime) -> list[DoorOpening]:
        with self._guarded(device):
            return self.provider.openings(device, since, until)

    def alarms(self, device: Device, since: datetime, until: datetime) -> list[DoorAlarm]:
        with self._guarded(device):
            return self.provider.alarms(device, since, until)

    def create_offline_code(self, device: Device, *, name: str, window: Window) -> OfflineCode:
        with self._guarded(device):
            return self.provider.create_offline_code(device, name=name, window=window)

    # -- the breakers, for pages and for whoever knows better ---------------------------------------------------

    def account_state(self) -> State:
        return self._shelf.read(self.account)[0]

    def lock_state(self, device: Device) -> State:
        return self._shelf.read(self._name(device))[0]

    def try_again(self, device: Device | None = None) -> None:
        """Somebody knows better: a lock that was just heard of, an operator who has mended the account."""
        self._shelf.change(self._name(device) if device else self.account, lambda _: breaker.CLOSED)

    # -- one call -----------------------------------------------------------------------------------------------

    @contextmanager
    def _guarded(self, device: Device) -> Iterator[None]:
        lock = self._name(device)
        states = self._shelf.read(self.account, lock)
        probes = self._admit(device, *states)
        try:
            yield
        except AccountBroken as error:
            self._failed(self.account, ACCOUNT, error, probe=probes.account, at_once=True)
            self._release(lock, probe=probes.lock)
            raise self._paused(device, self.account_state(), str(error)) from error
        except Limited:
            self._release(self.account, probe=probes.account)
            self._release(lock, probe=probes.lock)
            raise
        except DoorError as error:
            if error.of_cloud:
                self._failed(self.account, CLOUD, error, probe=probes.account)
            else:
                self._succeeded(self.account, states[0], probe=probes.account)
            if error.of_cloud or isinstance(error, WaitForDevice):
                self._failed(lock, LOCK, error, probe=probes.lock)
            else:
                self._succeeded(lock, states[1], probe=probes.lock)
            raise
        self._succeeded(self.account, states[0], probe=probes.account)
        self._succeeded(lock, states[1], probe=probes.lock)

    def _admit(self, device: Device, account: State, lock: State) -> Probes:
        """Raises Paused unless both let the call through; takes the probes only when both do."""
        now = self._clock()
        for state, its_device in ((account, None), (lock, device)):
            if state.wait(now) > 0:
                raise self._paused(its_device or device, state, state.reason, of_lock=its_device is not None)
        return Probes(
            self._take_probe(self.account, account, device, of_lock=False),
            self._take_probe(self._name(device), lock, device, of_lock=True),
        )

    def _take_probe(self, name: str, seen: State, device: Device, *, of_lock: bool) -> bool:
        if not seen.is_open:
            return False
        before, after = self._shelf.change(name, partial(breaker.probing, now=self._clock()))
        if before == after and after.is_open:  # another was faster
            raise self._paused(device, after, after.reason, of_lock=of_lock)
        return after.is_open

    def _failed(self, name: str, policy: Policy, error: DoorError, *, probe: bool, at_once: bool = False) -> None:
        reason = str(error)
        step = partial(
            breaker.failed, policy=policy, now=self._clock(), reason=reason, probe=probe, at_once=at_once
        )  # fmt: skip
        before, after = self._shelf.change(name, step)
        if after.is_open and not before.is_open:
            log.warning("breaker.opened", breaker=name, failures=after.failures, reason=reason)
            if name == self.account:
                self._on_change(True, reason)

    def _succeeded(self, name: str, seen: State, *, probe: bool) -> None:
        if seen == breaker.CLOSED:
            return
        before, after = self._shelf.change(name, partial(breaker.succeeded, probe=probe))
        if before.is_open and not after.is_open:
            log.info("breaker.closed", breaker=name)
            if name == self.account:
                self._on_change(False, before.reason)

    def _release(self, name: str, *, probe: bool) -> None:
        if probe:
            self._shelf.change(name, partial(breaker.released, now=self._clock()))

    def _paused(self, device: Device, state: State, reason: str, *, of_lock: bool = False) -> Paused:
        after = max(1.0, state.wait(self._clock()))
        again = f"{datetime.fromtimestamp(self._clock() + after, UTC):%H:%M:%S} UTC"
        if of_lock:
            return Paused(f"{device.device_id} is left alone until {again}: {reason}", after=after)
        return AccountPaused(f"Calls to all locks of the account wait until {again}: {reason}", after=after)

    def _name(self, device: Device) -> str:
        return f"{self.account}:{device.device_id}"
