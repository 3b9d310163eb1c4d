"""Tuya's clock, learnt from its answers: requests are refused when ours is too far off."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class ServerClock:
    """Our clock, corrected only when an answer proves it wrong.

    Tuya stamps each answer with its time ``t``, somewhere between our sending and our receiving. As long as our clock
    allows that, it is believed; otherwise it is moved by the least that would. One float is shared by all threads.
    """

    def __init__(self) -> None:
        self._ahead_ms = 0.0

    def now_ms(self) -> int:
        return int(time.time() * 1000 + self._ahead_ms)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def span(self) -> tuple[float, float]:
        """Our own time and the server's, in seconds, the earlier first."""
        ours = time.time()
        earlier, later = sorted((ours, ours + self._ahead_ms / 1000))
        return earlier, later

    def learn(self, server_ms: int, *, sent: float, received: float) -> None:
        """``sent`` and ``received`` are our own ``time.time()`` around the call."""
        least, most = server_ms - received * 1000, server_ms - sent * 1000
        self._ahead_ms = max(least, min(0.0, most))
