from __future__ import annotations

from tests.reservations.stays_account import account, one_sandbox

__all__ = ["account", "one_sandbox"]
