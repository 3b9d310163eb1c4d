"""The product's settings with throw-away secrets; the environment may name another database or Redis."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_scratch = Path(tempfile.gettempdir()) / f"smartlock-tests-{os.getuid()}"
_scratch.mkdir(exist_ok=True)

os.environ["SMARTLOCK_ENV_FILE"] = ""
for _name, _value in {
    "SECRET_KEY": "tests-only-" + "x" * 40,
    "PIN_PEPPER": "tests-only-" + "p" * 40,
    "PIN_SEAL_KEYS": "dGVzdHMtb25seS1rZXktb2YtMzItYnl0ZXMtbG9uZyE=",
    "PIN_HASH_ROUNDS": "4",
    "BACKUP_PINS": "0",  # pools are for the tests about them: elsewhere doors hold guests' PINs only
    "HTTPS": "0",
    "DATABASE_URL": f"sqlite:///{_scratch}/unit-{os.getpid()}.sqlite3",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "STAYS_WEBHOOK_TOKEN": "a-webhook-token-for-tests",
    "STAYS_WEBHOOK_SECRET": "a-webhook-secret-for-tests",
    "STAYS_BASE_URL": "",
    "STAYS_CLIENT_ID": "stays-client",
    "STAYS_CLIENT_SECRET": "stays-secret",
    "TUYA_BASE_URL": "http://127.0.0.1:1",
    "TUYA_CLIENT_ID": "tuya-client",
    "TUYA_CLIENT_SECRET": "t" * 32,
    "EMAIL_URL": "memorymail://",
    "OPERATOR_EMAIL": "operator@example.com",
    "FLOWER_AUTH": "flower:flower-password",
    "LOG_JSON": "1",
}.items():
    os.environ.setdefault(_name, _value)

from smartlock.settings import *  # noqa: E402, F403
from smartlock.settings import DATABASES, STORAGES  # noqa: E402

if "sqlite3" in DATABASES["default"]["ENGINE"]:  # each worker's own, which pytest-django says of Django's name only
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
STATIC_ROOT = _scratch / "static"
STATIC_ROOT.mkdir(exist_ok=True)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_RESULT_BACKEND = "cache+memory://"
