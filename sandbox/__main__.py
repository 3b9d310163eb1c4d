"""`python -m sandbox`: starts web server and mail receiver, says where they are, ends on SIGTERM or Ctrl-C."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.mailbox import Mailbox, SmtpServer
from sandbox.settings import BadSetting, Settings
from sandbox.stays_webhooks import WebhookSender
from sandbox.store import Store
from sandbox.tuya_push import PushDesk

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Handler(WSGIRequestHandler):
    """Lets headers with an underscore through: werkzeug drops them, and Tuya's `client_id` is one."""

    def make_environ(self) -> WSGIEnvironment:
        environ = super().make_environ()
        for name, value in self.headers.items():
            if "_" in name:
                environ[f"HTTP_{name.upper()}"] = value
        return environ


def main() -> int:
    try:
        settings = Settings.from_environment(os.environ)
        store = Store(settings.state_file)
        smtp_socket = _listen(settings.host, settings.smtp_port, "SANDBOX_SMTP_PORT")
        push_port = settings.push_port
        push_socket = None if push_port is None else _listen(settings.host, push_port, "SANDBOX_PUSH_PORT")
        web_socket = _listen(settings.host, settings.port, "SANDBOX_PORT")
    except BadSetting as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 2
    _run(settings, store, web_socket, smtp_socket, push_socket)
    return 0


def _listen(host: str, port: int, variable: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise BadSetting(f"cannot listen on port {port} ({error.strerror}); set {variable} to another one.") from None


def _run(
    settings: Settings,
    store: Store,
    web_socket: socket.socket,
    smtp_socket: socket.socket,
    push_socket: socket.socket | None,
) -> None:
    sender = WebhookSender(settings.webhook_url, settings.stays_client_id, settings.webhook_secret)
    smtp = SmtpServer(Mailbox(store), smtp_socket)
    push = PushDesk(settings.tuya_client_id, settings.tuya_client_secret)
    web = _web_server(create_app(settings, store, sender, push), settings.host, web_socket)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    smtp.start()
    threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    pushing = ""
    if push_socket is not None:
        pushing = f" push ws://{settings.host}:{push_socket.getsockname()[1]}"
        threading.Thread(target=push.server(push_socket).serve_forever, daemon=True).start()
    print(
        f"sandbox listening on http://{settings.host}:{web.port} smtp {settings.host}:{smtp.port}{pushing}", flush=True
    )
    stop.wait()
    store.stopping.set()
    sender.stop()
    web.shutdown()
    smtp.stop()


def _web_server(app: Flask, host: str, web_socket: socket.socket) -> BaseWSGIServer:
    # Requests are no news here, and a quiet console keeps the one line that matters in sight.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    port = web_socket.getsockname()[1]
    return make_server(host, port, app, threaded=True, request_handler=Handler, fd=web_socket.fileno())


if __name__ == "__main__":
    sys.exit(main())
