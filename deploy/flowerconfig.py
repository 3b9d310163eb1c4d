"""Flower's own configuration file: it answers under /admin/flower/, for the admin site, and at the root of its port.

Flower knows one prefix only; the addresses at the root are added here without names, so that links keep the prefix.
"""

from __future__ import annotations

from flower import app
from tornado.routing import URLSpec

url_prefix = "admin/flower"


def _plain(handler: URLSpec | tuple[object, ...]) -> tuple[object, ...]:
    if isinstance(handler, URLSpec):
        return (handler.regex.pattern, handler.handler_class, handler.kwargs)
    return handler


_at_root = list(app.default_handlers)
app.default_handlers = [*(app.rewrite_handler(h, url_prefix) for h in _at_root), *map(_plain, _at_root)]
app.rewrite_handler = lambda handler, _prefix: handler
