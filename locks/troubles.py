"""What is wrong with a PIN, said to a person: a stable code, what it means, and what to do. Pure: facts in, a list out.

``troubles_of(credential, now)`` needs a credential with its lock and reads nothing else. Texts are in the language that
is active where they are shown. Errors come first, because somebody may be standing at a door.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.utils.translation import gettext as _

from locks.models import Credential, Lock

State = Credential.State
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
    return sorted(dict.fromkeys(found), key=lambda trouble: trouble.level is not Level.ERROR)


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
    if proven and credential.pending_change is not None:
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
    """What the last try met; a code nobody has words for is told in the words of the machine."""
    code = credential.error_code
    if code == "door_full":
        yield Trouble(
            "lock_full", Level.ERROR, _("The lock holds no more codes."),
            _("Delete codes that are not needed any longer, or raise the number the lock can hold."),
        )  # fmt: skip
    elif code == "door_configuration":
        yield Trouble(
            "account", Level.ERROR, _("The account with the lock's provider is not in order."),
            _("Check its login, its plan and its expiry; then try the failed jobs again."),
        )  # fmt: skip
    elif code == "too_many_writes":
        yield Trouble(
            "too_many_writes", Level.ERROR,
            _("The lock was written to too often within an hour, so it is left alone for a while."),
            _("Look at the lock: it takes codes and does not keep them."),
        )  # fmt: skip
    elif code in ("door_refused", "door_unsupported"):
        yield Trouble(
            "refused", Level.ERROR, _("The lock refuses this PIN for good."),
            _("Read the last error, put right what it names, and try the failed job again."),
        )  # fmt: skip
    elif credential.last_error:
        yield Trouble("last_error", Level.WARNING, credential.last_error, _("It is tried again by itself."))
