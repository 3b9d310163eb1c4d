"""The environment of every process of a run: production's settings, with made-up secrets and everything on loopback."""

from __future__ import annotations

import base64
import hashlib
import os

TUYA_SECRET = hashlib.md5(b"bench").hexdigest()  # 32 characters, as Tuya's are
WEBHOOK_SECRET = "bench-webhook-secret-0123456789"
WEBHOOK_TOKEN = "bench-webhook-token-0123456789"
FERNET_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"bench").digest()).decode()


def environment(database_url: str, redis_url: str) -> dict[str, str]:
    """What SmartLock reads; BullMQ, Express and the others get the same and take what they know."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {
        **inherited,
        "SMARTLOCK_ENV_FILE": "",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
        "NODE_ENV": "production",
        "DEBUG": "0",
        "HTTPS": "0",
        "LOG_JSON": "1",
        "SECRET_KEY": hashlib.sha256(b"bench SECRET_KEY").hexdigest(),
        "PIN_PEPPER": hashlib.sha256(b"bench PIN_PEPPER").hexdigest(),
        "PIN_SEAL_KEYS": FERNET_KEY,
        "ALLOWED_HOSTS": "127.0.0.1",
        "STAYS_WEBHOOK_TOKEN": WEBHOOK_TOKEN,
        "STAYS_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "BACKUP_PINS": "0",  # the rush is about guests' PINs; backups are put there in quiet hours
        "TUYA_CLIENT_ID": "bench-client",
        "TUYA_CLIENT_SECRET": TUYA_SECRET,
        "EMAIL_URL": "dummymail://",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "FLOWER_PORT": "1",
        "SANDBOX_PORT": "2",
        "PORT": "3",
        "TUYA_BASE_URL": "http://127.0.0.1:9",
        "STAYS_BASE_URL": "",
    }
