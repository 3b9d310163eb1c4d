"""What the sandbox reads from its environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

N = TypeVar("N", int, float)

# Tuya encrypts the ticket key with the whole Access Secret as an AES-256 key: no other length can work.
TUYA_SECRET_LENGTH = 32


class BadSetting(Exception):
    """An environment variable the sandbox cannot start with; the message says which one and why."""


@dataclass(frozen=True)
class Settings:
    host: str = "127.0.0.1"
    port: int = 8100
    smtp_port: int = 8125
    push_port: int | None = None
    state_file: Path | None = None
    delivery_seconds: float = 0.3
    awake_seconds: float = 60.0
    tuya_client_id: str = "sandboxtuyaclient000"
    tuya_client_secret: str = "sandbox-tuya-secret-of-32-chars!"
    stays_client_id: str = "sandboxstays"
    stays_client_secret: str = "sandbox-stays-secret"
    webhook_url: str = ""
    webhook_secret: str = ""

    def __post_init__(self) -> None:
        if len(self.tuya_client_secret.encode()) != TUYA_SECRET_LENGTH:
            raise BadSetting(f"TUYA_CLIENT_SECRET must be {TUYA_SECRET_LENGTH} characters, as Tuya's are.")

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Settings:
        """An empty variable counts as unset, so that a half-filled .env still starts."""
        path = env.get("SANDBOX_STATE", "").strip()
        return cls(
            port=_number(env, "SANDBOX_PORT", int, cls.port),
            smtp_port=_number(env, "SANDBOX_SMTP_PORT", int, cls.smtp_port),
            # The message push is off unless a port is named.
            push_port=_number(env, "SANDBOX_PUSH_PORT", int, -1) if env.get("SANDBOX_PUSH_PORT") else None,
            state_file=Path(path) if path else None,
            delivery_seconds=_number(env, "SANDBOX_DELIVERY_SECONDS", float, cls.delivery_seconds),
            awake_seconds=_number(env, "SANDBOX_AWAKE_SECONDS", float, cls.awake_seconds),
            tuya_client_id=env.get("TUYA_CLIENT_ID") or cls.tuya_client_id,
            tuya_client_secret=env.get("TUYA_CLIENT_SECRET") or cls.tuya_client_secret,
            stays_client_id=env.get("STAYS_CLIENT_ID") or cls.stays_client_id,
            stays_client_secret=env.get("STAYS_CLIENT_SECRET") or cls.stays_client_secret,
            webhook_url=env.get("SANDBOX_WEBHOOK_URL", "").strip(),
            webhook_secret=env.get("STAYS_WEBHOOK_SECRET", "").split(",")[0].strip(),
        )


def _number(env: Mapping[str, str], name: str, kind: Callable[[str], N], default: N) -> N:
    text = env.get(name, "").strip()
    if not text:
        return default
    try:
        return kind(text)
    except ValueError:
        raise BadSetting(f"{name} must be a number, not {text!r}.") from None
