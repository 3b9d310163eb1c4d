"""The way out: Django's e-mail as EMAIL_URL sets it up, and what its failures mean.

MailError
├── AddressRefused             the server will never deliver to this address: tell an operator
├── MailAway (Retry)           it certainly did not go out; try again
│   └── MayHaveArrived         the server fell silent; it may have gone out; try again all the same
└── MailNotSetUp (Stop)        EMAIL_URL is missing: a PIN is never written to the log instead

What a server says is kept without its longer numbers, so that no PIN it may quote gets into a row or a log.
"""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from scheduler.errors import Retry, Stop

CONSOLE = "django.core.mail.backends.console.EmailBackend"
_NUMBER = re.compile(r"\d{4,}")


class MailError(Exception):
    """A message could not be sent."""


class AddressRefused(MailError):
    """The mail server will never deliver to this address."""


class MailAway(MailError, Retry):
    """The mail server did not take the message."""

    code = "mail_away"


class MayHaveArrived(MailAway):
    """The mail server fell silent; the message may have been taken."""

    code = "mail_uncertain"


class MailNotSetUp(MailError, Stop):
    """EMAIL_URL is not set: there is no way to send mail. Set it, then retry this job."""

    code = "mail_not_set_up"


@dataclass(frozen=True, repr=False)
class Letter:
    """A finished e-mail. It may hold a PIN, so it is never shown: no repr, no log."""

    subject: str
    text: str
    html: str = ""


def send(letter: Letter, *, to: list[str], message_id: str) -> None:
    """Hand the letter to the mail server. A repetition uses the same ``message_id``. Raises MailError."""
    if settings.EMAIL_BACKEND == CONSOLE and not settings.DEBUG:
        raise MailNotSetUp
    message = EmailMultiAlternatives(letter.subject, letter.text, to=to, headers=_headers(message_id))
    if letter.html:
        message.attach_alternative(letter.html, "text/html")
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(error) from None
    except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
        raise MayHaveArrived(f"The mail server fell silent ({type(error).__name__}).") from None
    except (smtplib.SMTPException, OSError) as error:
        raise MailAway(f"The mail server did not take the message: {_said(error)}.") from None


def _headers(message_id: str) -> dict[str, str]:
    """No out-of-office note shall answer, and quote, a letter with a PIN."""
    host = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "smartlock"
    return {
        "Message-ID": f"<{message_id}@{host}>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
    }  # fmt: skip


def _refusal(error: smtplib.SMTPRecipientsRefused) -> MailError:
    """5xx is for good; 4xx, such as a mailbox that is busy or greylisting, is for now."""
    answers = list(error.recipients.values())
    said = "; ".join(f"{code} {_text(reason)}" for code, reason in answers)
    if answers and all(code >= 500 for code, _ in answers):
        return AddressRefused(f"The mail server refuses the guest's address: {said}")
    return MailAway(f"The mail server does not take the address now: {said}")


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__} {_text(str(error))}".strip()


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return _NUMBER.sub("…", " ".join(text.split()))[:200]
