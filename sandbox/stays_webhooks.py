"""Sends webhooks as Stays does: one URL, an envelope without an event id, in order, from a thread of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import httpx

USER_AGENT = "got (https://github.com/sindresorhus/got)"
# Stays' own retries are unknown. These only bridge a receiver that is just starting.
WAITS_AFTER_REFUSAL = (0.2, 0.5, 1.0, 2.0, 4.0)
ANSWER_SECONDS = 15
LOG_LENGTH = 500


@dataclass
class Sent:
    """One delivery as the log shows it. `status` is empty until an answer came."""

    action: str
    reservation: str
    at: str
    body: str
    status: int | None = None
    attempts: int = 0
    error: str = ""


class WebhookSender:
    def __init__(self, url: str, client_id: str, secret: str) -> None:
        self.url = url
        self.client_id = client_id
        self.secret = secret
        self._log: deque[Sent] = deque(maxlen=LOG_LENGTH)
        self._waiting: queue.Queue[Sent] = queue.Queue()
        self._stopping = threading.Event()
        threading.Thread(target=self._run, name="stays-webhooks", daemon=True).start()

    def send(self, action: str, payload: dict[str, object], now: float, times: int = 1) -> None:
        """`times` above one repeats the very same bytes, as a provider does that missed our answer."""
        moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        envelope = {"action": f"reservation.{action}", "_dt": moment, "payload": payload}
        body = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)
        for _ in range(times):
            sent = Sent(f"reservation.{action}", str(payload["_id"]), moment, body)
            self._log.append(sent)
            self._waiting.put(sent)

    def log(self) -> list[dict[str, object]]:
        return [asdict(sent) for sent in list(self._log)]

    def forget(self) -> None:
        self._log.clear()

    def stop(self) -> None:
        self._stopping.set()

    def _run(self) -> None:
        with httpx.Client(timeout=ANSWER_SECONDS, trust_env=False) as client:
            while True:
                self._deliver(client, self._waiting.get())

    def _deliver(self, client: httpx.Client, sent: Sent) -> None:
        if not self.url:
            sent.error = "no SANDBOX_WEBHOOK_URL"
            return
        for wait in (*WAITS_AFTER_REFUSAL, None):
            sent.attempts += 1
            try:
                sent.status, sent.error = self._post(client, sent.body.encode()), ""
                return
            except httpx.ConnectError as error:
                sent.error = str(error)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                sent.error = f"{type(error).__name__}: {error}"
                return
            if wait is None or self._stopping.wait(wait):
                return

    def _post(self, client: httpx.Client, body: bytes) -> int:
        headers = {
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            "x-stays-client-id": self.client_id,
        }
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["x-stays-signature"] = f"sha256={digest}"
        return client.post(self.url, content=body, headers=headers).status_code
