"""A mailbox for everybody: receives over SMTP whatever the product sends and keeps it readable."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.state import Message
from sandbox.store import Store

MOST_MESSAGES = 1000
ACCEPTED = "250 Message accepted for delivery"


class Mailbox:
    """Called by the SMTP protocol for each message; one e-mail to three people is three messages here."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        self.receive(raw, envelope.rcpt_tos)
        return ACCEPTED

    def receive(self, raw: bytes, recipients: list[str]) -> None:
        mail = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
        with self.store.session(writes=True) as (world, now):
            at = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
            for to in recipients:
                world.messages.append(Message(to, "email", str(mail["subject"] or ""), _text(mail), at))
            del world.messages[:-MOST_MESSAGES]


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain", "html"))
    content: Any = part.get_content() if part is not None else ""
    # Mail travels with CRLF; readers of the mailbox want plain lines.
    return str(content).replace("\r\n", "\n").strip()


class SmtpServer:
    """The receiver on its own event loop in its own thread."""

    def __init__(self, mailbox: Mailbox, listening: socket.socket) -> None:
        self.mailbox = mailbox
        self._socket = listening
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()

    def start(self) -> None:
        threading.Thread(target=self._run, name="smtp", daemon=True).start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        serve = self._loop.create_server(self._protocol, sock=self._socket)
        self._loop.run_until_complete(serve)
        self._loop.run_forever()

    def _protocol(self) -> SMTP:
        return SMTP(self.mailbox, hostname="sandbox", enable_SMTPUTF8=True, loop=self._loop)
