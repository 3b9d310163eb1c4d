"""What is wrong with a PIN, said to a person: a stable code, what it means, and what to do. Pure: facts in, a list out.

``troubles_of(credential, now)`` needs a credential with its lock and reads nothing else. Texts are in the language that
is active where they are shown. Errors come first, because somebody may be standing at a door.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from locks.errors import (
    AccountBroken,
    AccountPaused,
    Capacity,
    Configuration,
    Limited,
    NameTaken,
    NotFound,
    Paused,
    PinTaken,
    Refused,
    Transient,
    UnknownOutcome,
    Unsupported,
    WaitForDevice,
)
from locks.models import Credential, Lock

State = Credential.State
NOT_ANSWERED = "not_answered"
OVERDUE = timedelta(minutes=15)  # removal is tried quickly for so long before a person is told


class Level(StrEnum):
    ERROR = "error"  # somebody cannot get in, or can although they should not
    WARNING = "warning"  # it may become one


@dataclass(frozen=True)
class Trouble:
    """One thing that is wrong. ``code`` is stable; ``text`` explains, ``remedy`` says what to do."""

    code: str
    level: Level
    text: str
    remedy: str


def troubles_of(credential: Credential, now: datetime) -> list[Trouble]:
    """Everything that is wrong with it at ``now``, the worst first; nothing for one that is proven gone."""
    if credential.is_gone():
        return []
    found = _there_too_long(credential, now) if _should_go(credential, now) else _not_there_yet(credential, now)
    once = {trouble.code: trouble for trouble in found}
    if len(once) > 1:  # the others say of what it does not answer
        once.pop(NOT_ANSWERED, None)
    return sorted(once.values(), key=lambda trouble: trouble.level is not Level.ERROR)


def _should_go(credential: Credential, now: datetime) -> bool:
    return credential.ends_at <= now or (not credential.wanted and not credential.bridges)


def _there_too_long(credential: Credential, now: datetime) -> Iterator[Trouble]:
    if credential.asked_at is None and not credential.provider_ref:
        return
    if now - credential.closes_at >= OVERDUE:
        yield Trouble(
            "removal_overdue", Level.ERROR, _("The PIN should be off the lock, and the lock has not confirmed that."),
            _("Check the lock's battery and connection, or delete the code in the lock's app."),
        )  # fmt: skip
    else:
        yield Trouble(
            "removal_pending", Level.WARNING, _("The PIN is being taken off; the lock has not confirmed it yet."),
            _("Nothing yet: it is tried again by itself."),
        )  # fmt: skip
    yield from _of_the_way(credential)


def _not_there_yet(credential: Credential, now: datetime) -> Iterator[Trouble]:
    if credential.bridges:
        yield Trouble(
            "kept_as_bridge", Level.WARNING, _("The lock cannot change a PIN, so this one stays until the next is on."),
            _("Nothing: it goes as soon as the new one is proven."),
        )  # fmt: skip
        return
    soon = now >= credential.starts_at - timedelta(minutes=settings.TELL_UNPROVEN_MINUTES)
    proven = credential.state == State.ON_LOCK
    if credential.state == State.UNKNOWN:
        yield Trouble(
            "answer_unreadable", Level.ERROR if soon else Level.WARNING,
            _("The lock gave an answer that could not be read: whether it holds the PIN is not known."),
            _("It is asked again and not written to. Try the PIN at the door if the guest is due."),
        )  # fmt: skip
    if credential.standing() is not None and credential.pending_change is not None:
        yield Trouble(
            "change_pending", Level.WARNING, _("The lock still has the times from before the change."),
            _("Nothing yet: they are written again by themselves. Wake the lock if it sleeps."),
        )  # fmt: skip
    if not proven and soon:
        yield Trouble(
            "not_confirmed", Level.ERROR, _("The lock has not confirmed the PIN, and the time to use it is near."),
            _("Check the lock's battery and connection, and be ready to let the guest in."),
        )  # fmt: skip
    if not proven and credential.asked_at is not None and credential.lock.radio == Lock.Radio.WIFI:
        yield Trouble(
            "lock_sleeps", Level.WARNING, _("A Wi-Fi lock sleeps, and takes a PIN when it wakes."),
            _("Ask somebody to touch its keypad."),
        )  # fmt: skip
    if not proven and credential.lock.online is False:
        yield Trouble(
            "lock_offline", Level.ERROR if soon else Level.WARNING, _("The lock, or its gateway, is not connected."),
            _("Check its battery, the gateway and the network at the property."),
        )  # fmt: skip
    if not proven and _digits_are_gone(credential):
        yield Trouble(
            "digits_erased", Level.ERROR, _("The digits were erased, so this PIN cannot be put on the lock again."),
            _("Nothing: new digits are chosen, and the guest is told."),
        )  # fmt: skip
    if not proven:
        yield from _of_the_way(credential)


def _digits_are_gone(credential: Credential) -> bool:
    """Pages do not read the sealed copy: where it was left out, nothing is said of it."""
    return "pin_sealed" not in credential.get_deferred_fields() and not credential.pin_sealed


def _of_the_way(credential: Credential) -> Iterator[Trouble]:
    """What the last try met; a word nobody has explained is told as the machine wrote it down."""
    known = of_error(credential.error_code)
    if known is not None:
        yield known
    elif credential.last_error:
        yield Trouble("last_error", Level.WARNING, credential.last_error, _("It is tried again by itself."))


def of_error(code: str) -> Trouble | None:
    """What an error at a door means, by its word; None for one that nobody has explained."""
    known = _WAY.get(code)
    return None if known is None else Trouble(known.code, known.level, _(known.text), _(known.remedy))


_ACCOUNT = Trouble(
    "account", Level.ERROR, N_("The account with the lock's provider is not in order."),
    N_("Check its login, its plan and its expiry; then try the failed jobs again."),
)  # fmt: skip
_ACCOUNT_PAUSED = replace(_ACCOUNT, remedy=N_("Check its login, its plan and its expiry; it goes on by itself then."))
_REFUSED = Trouble(
    "refused", Level.ERROR, N_("The lock refuses this PIN for good."),
    N_("Read the last error, put right what it names, and try the failed job again."),
)  # fmt: skip
_NEW_DIGITS = Trouble(
    "digits_refused", Level.WARNING, N_("The lock does not take these digits: it holds them for another code."),
    N_("Nothing: other digits are chosen, and the guest is told."),
)  # fmt: skip
# By the word of the error (``locks.errors``); marked for translation here, and translated where they are shown.
_WAY: dict[str, Trouble] = {
    Capacity.code: Trouble(
        "lock_full", Level.ERROR, N_("The lock holds no more codes."),
        N_("Delete codes that are not needed any longer, or raise the number the lock can hold."),
    ),
    Configuration.code: _ACCOUNT,
    AccountBroken.code: _ACCOUNT_PAUSED,
    AccountPaused.code: _ACCOUNT_PAUSED,
    Refused.code: _REFUSED,
    Unsupported.code: _REFUSED,
    NotFound.code: _REFUSED,
    NameTaken.code: _REFUSED,
    PinTaken.code: _NEW_DIGITS,
    "pin_taken": _NEW_DIGITS,
    "digits_frozen": Trouble(
        "digits_frozen", Level.WARNING,
        N_("The lock takes neither new times nor the same digits twice, and the guest has used the PIN: it opens to "
           "its old end, and is put there anew then."),
        N_("To be safe, press “New PIN” and tell the guest: the old digits stop opening then."),
    ),
    "too_many_writes": Trouble(
        "too_many_writes", Level.ERROR,
        N_("The lock was written to too often within an hour, so it is left alone for a while."),
        N_("Look at the lock: it takes codes and does not keep them."),
    ),
    Transient.code: Trouble(
        "cloud_trouble", Level.WARNING, N_("The provider of the lock was busy or did not answer as it should."),
        N_("Nothing yet: it is tried again by itself."),
    ),
    UnknownOutcome.code: Trouble(
        "outcome_unknown", Level.WARNING, N_("It is not known whether the lock was given the last order."),
        N_("Nothing yet: the lock is read before anything is written to it again."),
    ),
    Paused.code: Trouble(
        "lock_paused", Level.WARNING, N_("The lock failed several times in a row, so it is left alone for a moment."),
        N_("Nothing yet: it is tried again by itself. If it lasts, check its battery and connection."),
    ),
    Limited.code: Trouble(
        "waits_its_turn", Level.WARNING, N_("Calls to the locks are made at the pace their provider allows."),
        N_("Nothing: its turn comes by itself."),
    ),
    WaitForDevice.code: Trouble(
        NOT_ANSWERED, Level.WARNING, N_("The lock, or its gateway, is out of reach or has not answered yet."),
        N_("Nothing yet: it is tried again by itself."),
    ),
    "pin_erased": Trouble(
        "digits_erased", Level.WARNING, N_("The digits were erased once the guest had them."),
        N_("Nothing: new digits are chosen, and the guest is told."),
    ),
    "pin_vanished": Trouble(
        "pin_vanished", Level.WARNING, N_("The lock did not keep the PIN it was given."),
        N_("Nothing yet: it is put back. If it happens again, look at the lock."),
    ),
    "change_lost": Trouble(
        "change_lost", Level.WARNING, N_("The lock did not keep the times it was given."),
        N_("Nothing yet: they are written again. If it happens again, look at the lock."),
    ),
    "change_refused": Trouble(
        "change_refused", Level.WARNING, N_("The lock cannot give a PIN other times."),
        N_("Nothing: a second PIN takes its place."),
    ),
    "old_doors_first": Trouble(
        "old_doors_first", Level.WARNING, N_("The PIN is taken off the former doors first."),
        N_("Nothing yet: this door comes next."),
    ),
}  # fmt: skip
