"""Puts the pretend world together: one Flask application for the Tuya paths, the Stays paths and the sandbox's own."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, jsonify
from flask.json.provider import DefaultJSONProvider
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from sandbox.doors_api import DoorsApi
from sandbox.page import Page
from sandbox.settings import Settings
from sandbox.stays_account import StaysError
from sandbox.stays_api import StaysApi
from sandbox.stays_desk import StaysDesk
from sandbox.stays_feeds import StaysFeeds
from sandbox.stays_webhooks import WebhookSender
from sandbox.store import Store
from sandbox.tuya_api import TuyaApi
from sandbox.tuya_auth import Gate
from sandbox.tuya_push import PushDesk


class Json(DefaultJSONProvider):
    """In the order in which things were put; a body nested too deep to be read is no JSON rather than a crash."""

    sort_keys = False

    def loads(self, s: str | bytes, **options: Any) -> Any:
        try:
            return super().loads(s, **options)
        except RecursionError:
            raise ValueError("nested too deep") from None


def create_app(settings: Settings, store: Store, sender: WebhookSender, push: PushDesk | None = None) -> Flask:
    app = Flask("sandbox", static_folder="static", static_url_path="/static", template_folder="templates")
    # A word missing in one language shall fail, not leave a hole in the page.
    app.jinja_env.undefined = StrictUndefined
    app.json = Json(app)
    gate = Gate(settings.tuya_client_id, settings.tuya_client_secret)
    TuyaApi(store, gate, settings.delivery_seconds).register(app)
    StaysApi(store, settings).register(app)
    StaysDesk(store, sender).register(app)
    StaysFeeds(store).register(app)
    push = push or PushDesk(settings.tuya_client_id, settings.tuya_client_secret)
    DoorsApi(store, sender, push, settings.awake_seconds).register(app)
    Page(store).register(app)
    app.register_error_handler(StaysError, _stays_error)
    app.register_error_handler(HTTPException, _plain_error)
    return app


def _stays_error(error: StaysError) -> tuple[Response, int]:
    return jsonify({"message": error.message}), error.status


def _plain_error(error: HTTPException) -> tuple[Response, int]:
    return jsonify({"error": error.description}), error.code or 500
