from __future__ import annotations

import pytest

from tests.reservations.stays_account import account, one_sandbox
from webhooks import inbox

__all__ = ["account", "one_sandbox"]


@pytest.fixture(autouse=True)
def nobody_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process remembers of the inbox's next sorting is another test's."""
    monkeypatch.setattr(inbox, "_asked_for", None)
