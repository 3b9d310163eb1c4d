"""What the web server imports."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartlock.settings")
_django = get_wsgi_application()

from smartlock import heap  # noqa: E402
from webhooks import wsgi  # noqa: E402  # Django must have been set up

application = wsgi.before(_django)
heap.settle()
