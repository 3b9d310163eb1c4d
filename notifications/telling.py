"""Tells a guest what she does not know yet: reads the facts, writes the intent, sends, notes that it is sent.

At least once: a worker that dies after the mail server took the message and before that is noted sends it again. It
carries the same Message-ID, so many mail programs show it once; a guest who reads her PIN twice is better off than
one who never does. The PIN is unsealed in memory only, for as long as it takes to write and send the letter.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction

from locks.holders import with_fallback
from notifications import details, letters, mail, notices
from notifications.decide import Template, must_wait_for_proof
from notifications.languages import language_of
from notifications.models import Message
from notifications.outlook import Outlook, address, look, patience
from reservations.models import Reservation
from scheduler.errors import JobError
from smartlock.audit.services import record

log = structlog.get_logger(__name__)
Check = Callable[[], None]
State = Message.State
NO_ADDRESS = "There is no usable e-mail address."
ERASED = "The readable copy of the PIN was erased (PIN_KEEP=delivered)."
# The quick tries are over and the guest still knows nothing: a person is told, and the tries go on.
TRIES_BEFORE_HELP = 3


def tell_guest(reservation_id: int, *, check: Check, now: Callable[[], datetime]) -> Message | None:
    """Send the message that is missing now. None when there is none, or when the doors still have time to prove it.

    ``check`` is asked right before sending and raises when the job was called off. Raises Retry while the mail server
    does not take the message, and Stop when the PIN cannot be read or mail is not set up.
    """
    intent = _intend(reservation_id, now=now())
    if intent is None:
        return None
    outlook, message = intent
    if message.state == State.SKIPPED:
        return message
    try:
        letter = letters.guest_letter(outlook, message.language)
        check()
        mail.send(letter, to=[message.to], message_id=f"stay-{reservation_id}-{message.pk}")
    except mail.AddressRefused as refused:
        return _cannot_reach(message, "guest_unreachable", str(refused), now=now())
    except Exception as error:
        _did_not_go_out(message, error, now=now())
        raise
    return _sent(message, now=now())


@transaction.atomic
def _intend(reservation_id: int, *, now: datetime) -> tuple[Outlook, Message] | None:
    """Decide once more by the facts of this moment, and commit what is about to be sent."""
    rows = with_fallback(Reservation.objects.select_for_update(of=("self",)).select_related("accommodation"))
    outlook = look(rows.get(pk=reservation_id), now=now)
    template = outlook.template
    if template is None or must_wait_for_proof(template, outlook.truth, now=now, patience=patience()):
        return None
    message = _row(outlook, template, now=now)
    if not message.to:
        _cannot_reach(message, "guest_without_email", NO_ADDRESS, now=now)
    elif not letters.can_be_written(outlook):
        _cannot_reach(message, "pin_erased", ERASED, now=now)
    return outlook, message


def _row(outlook: Outlook, template: Template, *, now: datetime) -> Message:
    """A new message, or the one that did not get through, tried again."""
    last = outlook.last
    if last is not None and outlook.is_about(last) and last.state in (State.SENDING, State.FAILED):
        last.state, last.tries = State.SENDING, last.tries + 1
        last.save(update_fields=["state", "tries"])
        return last
    guest = outlook.reservation
    to = address(guest)
    return Message.objects.create(
        reservation=guest, template=template.value, to=to, created_at=now, knows=outlook.knows.as_json(),
        language=language_of(guest.guest_language, guest.guest_phone), state=State.SENDING if to else State.SKIPPED,
    )  # fmt: skip


@transaction.atomic
def _sent(message: Message, *, now: datetime) -> Message:
    message.state, message.sent_at, message.error = State.SENT, now, ""
    message.save(update_fields=["state", "sent_at", "error"])
    record("guest.told", message.reservation.subject, summary=message.template, message=message.pk)
    log.info("guest.told", reservation=message.reservation_id, template=message.template, message=message.pk)
    return message


@transaction.atomic
def _cannot_reach(message: Message, code: str, error: str, *, now: datetime) -> Message:
    """Nothing is tried again until the address or the PIN changes; an operator is told, once."""
    message.state, message.error = State.SKIPPED, error
    message.save(update_fields=["state", "error"])
    notices.about_stay(code, message.reservation, detail=details.of_record(error), now=now)
    return message


@transaction.atomic
def _did_not_go_out(message: Message, error: Exception, *, now: datetime) -> None:
    """A silent mail server may have taken it: that stays ``sending``. Anything else certainly did not go out."""
    message.state = State.SENDING if isinstance(error, mail.MayHaveArrived) else State.FAILED
    message.error = str(error) if isinstance(error, JobError) else type(error).__name__
    message.save(update_fields=["state", "error"])
    if message.tries == TRIES_BEFORE_HELP:
        notices.about_stay("guest_not_told", message.reservation, detail=details.of_record(message.error), now=now)
