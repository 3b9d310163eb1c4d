"""The Tuya caller of the tests over a real socket, for what a test client cannot show."""

from __future__ import annotations

import time
from typing import Any, cast

import httpx
from flask.testing import FlaskClient

from tests.sandbox.tuya_caller import TuyaCaller


class _Answer:
    def __init__(self, answer: httpx.Response) -> None:
        self.status_code = answer.status_code
        self.get_json = answer.json


class _Http:
    """The one method of Flask's test client that the caller uses."""

    def __init__(self, base_url: str, timeout: float) -> None:
        self.client = httpx.Client(base_url=base_url, timeout=timeout, trust_env=False)

    def open(self, url: str, *, method: str, data: bytes | None, headers: dict[str, str], content_type: str) -> Any:
        sent = {**headers, "content-type": content_type}
        return _Answer(self.client.request(method, url, content=data, headers=sent))


class WireCaller(TuyaCaller):
    def __init__(self, base_url: str, timeout: float = 10) -> None:
        super().__init__(cast(FlaskClient, _Http(base_url, timeout)), time.time)
        self.log_in()
