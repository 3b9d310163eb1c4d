"""All settings of the project, read from the environment (and from an ignored ``.env``).

A missing or weak secret stops the start with one plain sentence, except in debug mode, where throw-away
values are used. ``.env.example`` lists every variable with its meaning.
"""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from datetime import timedelta
from pathlib import Path

import environ
from cryptography.fernet import Fernet

from smartlock import logs
from smartlock.admin_site import UNFOLD  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
_env_file = os.environ.get("SMARTLOCK_ENV_FILE", str(BASE_DIR / ".env"))
if _env_file and Path(_env_file).is_file():
    env.read_env(_env_file)


def refuse(sentence: str) -> SystemExit:
    """The start ends here, with a sentence for the person who started it."""
    return SystemExit(f"SmartLock does not start: {sentence}")


def secret(name: str, *, at_least: int) -> str:
    """A secret from the environment; in debug mode a fixed throw-away one, so that nothing has to be set."""
    value = str(env.str(name, default=""))
    if not value and DEBUG:
        return hashlib.sha256(f"debug {name}".encode()).hexdigest()
    if not value:
        raise refuse(f"{name} is missing. Set it in the environment or in .env (`make run` writes one).")
    if len(value) < at_least and not DEBUG:
        raise refuse(f"{name} is too short to be safe: {len(value)} characters, at least {at_least} are needed.")
    return value


def integer(name: str, *, default: int, low: int, high: int) -> int:
    try:
        value = env.int(name, default=default)
    except ValueError:
        raise refuse(f"{name} must be a whole number, not {env.str(name)!r}.") from None
    if not low <= value <= high:
        raise refuse(f"{name} must be between {low} and {high}, not {value}.")
    return int(value)


def words(name: str) -> list[str]:
    return [word.strip() for word in env.str(name, default="").split(",") if word.strip()]


DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY", at_least=32)
HTTPS = env.bool("HTTPS", default=not DEBUG)
ALLOWED_HOSTS = words("ALLOWED_HOSTS") or ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

# --- PIN secrecy (docs/security.md) ---------------------------------------------------------------------------
PIN_PEPPER = secret("PIN_PEPPER", at_least=32)
PIN_SEAL_KEYS = words("PIN_SEAL_KEYS")
if not PIN_SEAL_KEYS and DEBUG:
    PIN_SEAL_KEYS = [base64.urlsafe_b64encode(hashlib.sha256(b"debug PIN_SEAL_KEYS").digest()).decode()]
if not PIN_SEAL_KEYS:
    raise refuse("PIN_SEAL_KEYS is missing. Give one or more Fernet keys, newest first, separated by commas.")
for _number, _key in enumerate(PIN_SEAL_KEYS, start=1):
    try:
        Fernet(_key)
    except ValueError:
        raise refuse(f"PIN_SEAL_KEYS: key {_number} is not a Fernet key (32 bytes in URL-safe base64).") from None
PIN_KEEP = env.str("PIN_KEEP", default="stay")
if PIN_KEEP not in ("stay", "delivered"):
    raise refuse(f"PIN_KEEP must be 'stay' or 'delivered', not {PIN_KEEP!r}.")
PIN_LEAD_MINUTES = integer("PIN_LEAD_MINUTES", default=60, low=0, high=14 * 24 * 60)
PIN_HASH_ROUNDS = integer("PIN_HASH_ROUNDS", default=12, low=4, high=16)
# A guest whose door has not confirmed the PIN by then is told it all the same, with how to wake the lock.
TELL_UNPROVEN_MINUTES = integer("TELL_UNPROVEN_MINUTES", default=30, low=0, high=24 * 60)
# So long before check-in an operator is told that a door has not taken the PIN; at check-in a replacement goes out.
FALLBACK_WARN_MINUTES = integer("FALLBACK_WARN_MINUTES", default=30, low=0, high=24 * 60)
# PINs kept on each lock for such guests (docs/fallback.md); a lock may have its own number.
BACKUP_PINS = integer("BACKUP_PINS", default=1, low=0, high=5)

# --- The world outside ----------------------------------------------------------------------------------------
STAYS_WEBHOOK_TOKENS = words("STAYS_WEBHOOK_TOKEN")
STAYS_WEBHOOK_SECRETS = words("STAYS_WEBHOOK_SECRET")
STANDARD_WEBHOOKS_TOKENS = words("STANDARD_WEBHOOKS_TOKEN")
STANDARD_WEBHOOKS_SECRETS = words("STANDARD_WEBHOOKS_SECRETS")
if not DEBUG:
    for _token in STAYS_WEBHOOK_TOKENS + STAYS_WEBHOOK_SECRETS:
        if len(_token) < 16:
            raise refuse("STAYS_WEBHOOK_TOKEN and STAYS_WEBHOOK_SECRET need at least 16 characters each.")
    if any(len(_token) < 16 for _token in STANDARD_WEBHOOKS_TOKENS):
        raise refuse("STANDARD_WEBHOOKS_TOKEN needs at least 16 characters.")
for _secret in STANDARD_WEBHOOKS_SECRETS:
    try:
        if len(base64.b64decode(_secret.removeprefix("whsec_") + "==")) < 24:
            raise ValueError
    except ValueError:
        raise refuse(
            "STANDARD_WEBHOOKS_SECRETS: each is whsec_ and at least 24 random bytes in base64 "
            "(echo whsec_$(openssl rand -base64 32))."
        ) from None
# Settled events are kept, and copies of them known, for so long; so many reservations a second one sender may start.
WEBHOOK_KEEP_DAYS = integer("WEBHOOK_KEEP_DAYS", default=90, low=30, high=3650)
WEBHOOK_RATE = integer("WEBHOOK_RATE", default=10, low=1, high=1000)
STAYS_BASE_URL = env.str("STAYS_BASE_URL", default="").rstrip("/")
STAYS_CLIENT_ID = env.str("STAYS_CLIENT_ID", default="")
STAYS_CLIENT_SECRET = env.str("STAYS_CLIENT_SECRET", default="")
# Guests' names, contacts and messages are erased so many days after check-out.
GUEST_KEEP_DAYS = integer("GUEST_KEEP_DAYS", default=90, low=1, high=3650)
# A person is told when no webhook came, or nothing could be read (poll, feed), for so many hours.
SOURCE_SILENT_HOURS = integer("SOURCE_SILENT_HOURS", default=24, low=1, high=24 * 30)
SOURCE_UNREAD_HOURS = integer("SOURCE_UNREAD_HOURS", default=2, low=1, high=24 * 30)
# iCal feeds are https and public; 1 allows feeds from the own network and, for the sandbox, plain http.
FEEDS_FROM_PRIVATE_NETWORKS = env.bool("FEEDS_FROM_PRIVATE_NETWORKS", default=False)
TUYA_BASE_URL = env.str("TUYA_BASE_URL", default="us")
TUYA_CLIENT_ID = env.str("TUYA_CLIENT_ID", default="")
TUYA_CLIENT_SECRET = env.str("TUYA_CLIENT_SECRET", default="")
# 0: as fast as it goes. Tuya's limit is not published; without TLS it is the sandbox, which has none.
TUYA_CALLS_PER_SECOND = integer(
    "TUYA_CALLS_PER_SECOND", default=0 if TUYA_BASE_URL.startswith("http://") else 2, low=0, high=1000
)
# Calls a month that the plan covers; 0: not known, so no warning at 80 % and 95 %.
TUYA_MONTHLY_QUOTA = integer("TUYA_MONTHLY_QUOTA", default=0, low=0, high=10**12)
# Where `listen_tuya` listens: a data centre's name or an address. Empty: nothing is listened to.
TUYA_PUSH_URL = env.str("TUYA_PUSH_URL", default="").strip()
TUYA_PUSH_CHANNEL = env.str("TUYA_PUSH_CHANNEL", default="event")
if TUYA_PUSH_CHANNEL not in ("event", "event-test"):
    raise refuse(f"TUYA_PUSH_CHANNEL must be 'event' or 'event-test', not {TUYA_PUSH_CHANNEL!r}.")

# --- Reading the locks (docs/doors.md says what it costs) ------------------------------------------------------
OPEN_LOG_MINUTES = integer("OPEN_LOG_MINUTES", default=30, low=5, high=60)
OPEN_LOG_NIGHT_MINUTES = integer("OPEN_LOG_NIGHT_MINUTES", default=60, low=5, high=60)
OPEN_LOG_EMPTY_HOURS = integer("OPEN_LOG_EMPTY_HOURS", default=6, low=1, high=7 * 24)
ALARM_LOG_HOURS = integer("ALARM_LOG_HOURS", default=2, low=1, high=7 * 24)
LOCK_STATE_HOURS = integer("LOCK_STATE_HOURS", default=6, low=1, high=7 * 24)
RECONCILE_HOURS = integer("RECONCILE_HOURS", default=24, low=1, high=31 * 24)
BATTERY_LOW_PERCENT = integer("BATTERY_LOW_PERCENT", default=20, low=6, high=90)
# A lock behind a gateway is silent when it was offline for so long; a Wi-Fi lock sleeps and is heard of seldom.
LOCK_SILENT_HOURS = integer("LOCK_SILENT_HOURS", default=12, low=1, high=31 * 24)
LOCK_SILENT_HOURS_WIFI = integer("LOCK_SILENT_HOURS_WIFI", default=7 * 24, low=1, high=92 * 24)
WRONG_PIN_ALARM = integer("WRONG_PIN_ALARM", default=5, low=2, high=100)
LOCK_LOG_KEEP_DAYS = integer("LOCK_LOG_KEEP_DAYS", default=180, low=7, high=3650)

# --- Apps -----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "smartlock.apps.SmartLockConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_celery_beat",
    "django_celery_results",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "axes",
    "smartlock.audit",
    "smartlock.api",
    "ninja",
    "scheduler",
    "reservations",
    "locks",
    "notifications",
    "webhooks",
    "smartlock.people.apps.PeopleConfig",  # last: it hands out the others' permissions
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "smartlock.people.gate.SecondFactorGate",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
ROOT_URLCONF = "smartlock.urls"
WSGI_APPLICATION = "smartlock.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Sign-in (docs/people.md) ---------------------------------------------------------------------------------
# Groups whose members need a second factor, or "all"; administrators belong to every group.
SECOND_FACTOR_FOR = words("SECOND_FACTOR_FOR")
OTP_TOTP_ISSUER = "SmartLock"
# A name tried from one address: one who guesses does not lock out the person from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_TEMPLATE = "smartlock/people/locked_out.html"
AXES_CLIENT_IP_CALLABLE = "smartlock.people.address.of"
AXES_ENABLE_ADMIN = False  # our own page shows them
AXES_VERBOSE = False
# So many proxies of our own stand in front and add the address they saw to X-Forwarded-For.
PROXIES = integer("PROXIES", default=0, low=0, high=5)

# --- Database -------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR}/var/smartlock.sqlite3")}
# Django's back ends by our names: smartlock/database says what is different.
DATABASES["default"]["ENGINE"] = DATABASES["default"]["ENGINE"].replace("django.db.backends", "smartlock.database")
if DATABASES["default"]["ENGINE"] == "smartlock.database.sqlite3":
    # IMMEDIATE: a writer waits its turn at BEGIN instead of failing in the middle of a transaction.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "cached_statements": 1000,  # the usual 128 are fewer than we have: most would be prepared anew each time
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 600
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# --- Redis and Celery -----------------------------------------------------------------------------------------
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
HORIZON_SECONDS = integer("HORIZON_SECONDS", default=60, low=5, high=600)
DISPATCH_SECONDS = integer("DISPATCH_SECONDS", default=5, low=1, high=60)
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 5,
    "priority_steps": list(range(10)),
    "queue_order_strategy": "priority",
}
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = 7 * 24 * 3600
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TRACK_STARTED = False
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 25.0
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
FLOWER_URL = env.str("FLOWER_URL", default="http://127.0.0.1:5555").rstrip("/")
FLOWER_AUTH = env.str("FLOWER_AUTH", default="")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 16 and not DEBUG:
    raise refuse("METRICS_TOKEN needs at least 16 characters; empty leaves /metrics open.")

# --- API ------------------------------------------------------------------------------------------------------
# How often one token may ask; 0 = as often as it likes.
API_REQUESTS_PER_MINUTE = integer("API_REQUESTS_PER_MINUTE", default=600, low=0, high=1_000_000)

# --- Mail -----------------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("EMAIL_FROM", default="SmartLock <smartlock@localhost>")
OPERATOR_EMAILS = words("OPERATOR_EMAIL")

# --- Language and time ----------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
LANGUAGES = [("pt-br", "Português"), ("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "smartlock" / "locale"]
TIME_ZONE = env.str("TIME_ZONE", default="America/Sao_Paulo")
USE_TZ = USE_I18N = True

# --- Static files and security --------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
SECURE_SSL_REDIRECT = HTTPS and env.bool("SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics/?$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

LOGGING = logs.configuration(json=env.bool("LOG_JSON", default=not DEBUG and not sys.stderr.isatty()))
LOGGING_CONFIG = "smartlock.logs.configure"
